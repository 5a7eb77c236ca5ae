import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.hyperledger.fabric.client.Contract;
import org.hyperledger.fabric.client.Gateway;
import org.hyperledger.fabric.client.Hash;
import org.hyperledger.fabric.client.Network;
import org.hyperledger.fabric.client.Proposal;
import org.hyperledger.fabric.client.Signable;
import org.hyperledger.fabric.client.Status;
import org.hyperledger.fabric.client.SubmittedTransaction;
import org.hyperledger.fabric.client.Transaction;
import org.hyperledger.fabric.client.identity.Identities;
import org.hyperledger.fabric.client.identity.Signer;
import org.hyperledger.fabric.client.identity.Signers;
import org.hyperledger.fabric.client.identity.X509Identity;

/** An application on Fabric's Java SDK: runs the steps of the Node one and prints one JSON line each. */
final class Application {
    final String channelName;
    final Gateway gateway;
    /** A gateway of the same identity that has no key: what it sends was signed elsewhere. */
    final Gateway keyless;
    final Network network;
    final Contract contract;
    private final Signer signer;
    private final String run;

    private Application(JsonObject profile, ManagedChannel connection, String run) throws Exception {
        this.run = run;
        channelName = text(profile, "channel");
        var certificate = Identities.readX509Certificate(fileOf(profile, "certificateFile"));
        var identity = new X509Identity(text(profile, "mspid"), certificate);
        signer = Signers.newPrivateKeySigner(Identities.readPrivateKey(fileOf(profile, "keyFile")));
        var builder = Gateway.newInstance().identity(identity).hash(Hash.SHA256).connection(connection);
        keyless = builder.connect();
        gateway = builder.signer(signer).connect();
        network = gateway.getNetwork(channelName);
        contract = network.getContract(text(profile, "contract"));
    }

    public static void main(String[] args) throws Exception {
        var profile = new Gson().fromJson(Files.readString(Path.of(args[0])), JsonObject.class);
        var credentials = TlsChannelCredentials.newBuilder()
                .trustManager(new File(text(profile, "tlsRootFile")))
                .build();
        var connection = Grpc.newChannelBuilder(text(profile, "endpoint"), credentials).build();
        try {
            var application = new Application(profile, connection, args[1]);
            try (application.gateway; application.keyless) {
                application.runSteps();
            }
        } finally {
            connection.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    private void runSteps() throws Exception {
        var steps = new LinkedHashMap<String, Callable<Map<String, Object>>>();
        steps.put("submit", () -> Map.of("result",
                text(contract.submitTransaction("create", keyOf("a"), "value a"))));
        steps.put("evaluate", () -> Map.of("result", text(contract.evaluateTransaction("read", keyOf("a")))));
        steps.put("asynchronous", this::asynchronous);
        steps.put("offline", this::offline);
        steps.put("resubmit", this::resubmit);
        steps.put("organisations", () -> Map.of("result",
                text(create("e").setEndorsingOrganizations("Org1MSP", "Org2MSP").build().endorse().submit())));
        steps.put("too few organisations", () -> codeOf(create("f").setEndorsingOrganizations("Org1MSP")));
        steps.put("transient", () -> codeOf(create("g").putTransient("secret", "kept from the ledger")));
        steps.put("conflict", this::conflict);
        steps.putAll(new EventSteps(this).all());
        steps.putAll(new FailureSteps(this).all());
        for (var step : steps.entrySet()) {
            var told = new LinkedHashMap<String, Object>();
            told.put("step", step.getKey());
            told.putAll(step.getValue().call());
            System.out.println(new Gson().toJson(told));
        }
    }

    private Map<String, Object> asynchronous() throws Exception {
        var submitted = create("b").build().endorse().submitAsync();
        var status = submitted.getStatus();
        return Map.of("result", text(submitted.getResult()), "code", status.getCode().name(),
                "successful", status.isSuccessful());
    }

    private Map<String, Object> offline() throws Exception {
        var elsewhere = keyless.getNetwork(channelName).getContract(contract.getChaincodeName());
        var unsigned = elsewhere.newProposal("create").addArguments(keyOf("c"), "value c").build();
        var endorsed = keyless.newSignedProposal(unsigned.getBytes(), sign(unsigned)).endorse();
        var transaction = keyless.newSignedTransaction(endorsed.getBytes(), sign(endorsed));
        SubmittedTransaction submitted = transaction.submitAsync();
        var status = keyless.newSignedCommit(submitted.getBytes(), sign(submitted)).getStatus();
        return Map.of("result", text(transaction.getResult()), "code", status.getCode().name(),
                "sameTransaction", status.getTransactionId().equals(unsigned.getTransactionId()));
    }

    private byte[] sign(Signable message) throws Exception {
        return signer.sign(message.getDigest());
    }

    private Map<String, Object> resubmit() throws Exception {
        var transaction = create("d").build().endorse();
        Status first = transaction.submitAsync().getStatus();
        Status second = transaction.submitAsync().getStatus();
        return Map.of("codes", List.of(first.getCode().name(), second.getCode().name()),
                "sameBlock", first.getBlockNumber() == second.getBlockNumber());
    }

    private Map<String, Object> conflict() throws Exception {
        var transactions = new ArrayList<Transaction>();
        for (int count = 0; count < 2; count++) transactions.add(create("h").build().endorse());
        var codes = new ArrayList<String>();
        for (var transaction : transactions) codes.add(transaction.submitAsync().getStatus().getCode().name());
        return Map.of("codes", codes);
    }

    private Map<String, Object> codeOf(Proposal.Builder proposal) throws Exception {
        var status = proposal.build().endorse().submitAsync().getStatus();
        return Map.of("code", status.getCode().name(), "successful", status.isSuccessful());
    }

    private Proposal.Builder create(String key) {
        return contract.newProposal("create").addArguments(keyOf(key), "value " + key);
    }

    /** A key that no other run of the program uses. */
    String keyOf(String name) {
        return run + "/" + name;
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String text(JsonObject profile, String member) {
        return profile.get(member).getAsString();
    }

    private static String fileOf(JsonObject profile, String member) throws Exception {
        return Files.readString(Path.of(text(profile, member)));
    }
}
