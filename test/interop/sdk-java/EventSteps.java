import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.hyperledger.fabric.client.ChaincodeEvent;
import org.hyperledger.fabric.client.ChaincodeEventsRequest;
import org.hyperledger.fabric.client.InMemoryCheckpointer;
import org.hyperledger.fabric.client.Status;
import org.hyperledger.fabric.protos.common.Block;
import org.hyperledger.fabric.protos.common.BlockMetadataIndex;
import org.hyperledger.fabric.protos.peer.BlockAndPrivateData;
import org.hyperledger.fabric.protos.peer.FilteredBlock;

final class EventSteps {
    private final Application application;

    EventSteps(Application application) {
        this.application = application;
    }

    Map<String, Callable<Map<String, Object>>> all() {
        var steps = new LinkedHashMap<String, Callable<Map<String, Object>>>();
        steps.put("contract events", this::contractEvents);
        steps.put("future events", this::futureEvents);
        steps.put("blocks", this::blocks);
        return steps;
    }

    private Map<String, Object> contractEvents() throws Exception {
        var checkpoint = new InMemoryCheckpointer();
        var first = announce("event 1");
        var before = take(request().checkpoint(checkpoint).startBlock(first.getBlockNumber()).build(), 1).get(0);
        checkpoint.checkpointChaincodeEvent(before);
        announce("event 2");
        announce("event 3");
        var resumed = new ArrayList<Map<String, Object>>();
        for (var event : take(request().checkpoint(checkpoint).build(), 2)) resumed.add(told(event));
        return Map.of("first", told(before), "resumed", resumed,
                "sameTransaction", before.getTransactionId().equals(first.getTransactionId()));
    }

    private Map<String, Object> futureEvents() throws Exception {
        var keys = List.of("event 4", "event 5", "event 6");
        try (var events = request().build().getEvents()) {
            for (var key : keys) announce(key);
            var event = events.next();
            var payload = Application.text(event.getPayload());
            var ours = keys.stream().anyMatch(key -> payload.equals(application.keyOf(key) + "=" + key));
            return Map.of("name", event.getEventName(), "ours", ours);
        }
    }

    private Map<String, Object> blocks() throws Exception {
        var status = announce("event 7");
        long number = status.getBlockNumber();
        var network = application.network;
        try (var whole = network.newBlockEventsRequest().startBlock(number).build().getEvents();
                var filtered = network.newFilteredBlockEventsRequest().startBlock(number).build().getEvents();
                var secret = network.newBlockAndPrivateDataEventsRequest().startBlock(number).build().getEvents()) {
            return told(status, whole.next(), filtered.next(), secret.next());
        }
    }

    private Map<String, Object> told(Status status, Block block, FilteredBlock filtered, BlockAndPrivateData secret) {
        var metadata = block.getMetadata();
        var codes = new ArrayList<Integer>();
        for (byte code : metadata.getMetadata(BlockMetadataIndex.TRANSACTIONS_FILTER_VALUE)) codes.add(code & 0xff);
        var one = filtered.getFilteredTransactionsList().stream()
                .filter(transaction -> transaction.getTxid().equals(status.getTransactionId()))
                .findFirst()
                .orElseThrow();
        var event = one.getTransactionActions().getChaincodeActions(0).getChaincodeEvent();
        var dataHash = block.getHeader().getDataHash();
        var told = new LinkedHashMap<String, Object>();
        told.put("number", block.getHeader().getNumber() == status.getBlockNumber());
        told.put("codes", codes);
        told.put("metadataEntries", metadata.getMetadataCount());
        told.put("filteredChannel", filtered.getChannelId().equals(application.channelName));
        told.put("filteredCode", one.getTxValidationCode().getNumber());
        told.put("filteredType", one.getType().getNumber());
        told.put("filteredEvent", event.getEventName());
        told.put("filteredPayloadBytes", event.getPayload().size());
        told.put("samePrivateBlock", secret.getBlock().getHeader().getDataHash().equals(dataHash));
        told.put("privateSets", secret.getPrivateDataMapCount());
        return told;
    }

    private Status announce(String name) throws Exception {
        var proposal = application.contract.newProposal("announce");
        var transaction = proposal.addArguments(application.keyOf(name), name).build().endorse();
        var status = transaction.submitAsync().getStatus();
        if (!status.isSuccessful()) throw new IllegalStateException("not committed: " + status.getCode());
        return status;
    }

    private ChaincodeEventsRequest.Builder request() {
        return application.network.newChaincodeEventsRequest(application.contract.getChaincodeName());
    }

    private static List<ChaincodeEvent> take(ChaincodeEventsRequest request, int count) {
        var taken = new ArrayList<ChaincodeEvent>();
        try (var events = request.getEvents()) {
            while (taken.size() < count) taken.add(events.next());
        }
        return taken;
    }

    private static Map<String, Object> told(ChaincodeEvent event) {
        return Map.of("name", event.getEventName(), "payload", Application.text(event.getPayload()),
                "contract", event.getChaincodeName());
    }
}
