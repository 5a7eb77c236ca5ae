import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.hyperledger.fabric.client.EndorseException;
import org.hyperledger.fabric.client.GatewayException;

final class FailureSteps {
    private final Application application;

    FailureSteps(Application application) {
        this.application = application;
    }

    Map<String, Callable<Map<String, Object>>> all() {
        var contract = application.contract;
        String absent = application.keyOf("absent");
        String another = application.keyOf("z");
        var steps = new LinkedHashMap<String, Callable<Map<String, Object>>>();
        steps.put("evaluate refused", () -> failureOf(() -> contract.evaluateTransaction("read", absent)));
        steps.put("endorse refused",
                () -> failureOf(() -> contract.submitTransaction("create", application.keyOf("a"), "again")));
        steps.put("unknown organisation", () -> failureOf(() -> contract.newProposal("create")
                .addArguments(another, "value z")
                .setEndorsingOrganizations("NoneMSP")
                .build()
                .endorse()));
        steps.put("unknown contract", () -> codeOf(() -> application.network
                .getContract("none")
                .submitTransaction("create", another, "value z")));
        steps.put("unknown channel", () -> codeOf(() -> application.gateway
                .getNetwork("none")
                .getContract(contract.getChaincodeName())
                .submitTransaction("create", another, "value z")));
        return steps;
    }

    /** How a call to the gateway failed: addresses differ between networks, all else is compared. */
    private static Map<String, Object> failureOf(Callable<?> call) throws Exception {
        try {
            call.call();
        } catch (GatewayException failure) {
            var details = new ArrayList<Map<String, String>>();
            for (var detail : failure.getDetails()) {
                details.add(Map.of("mspId", detail.getMspId(), "message", detail.getMessage()));
            }
            var told = new LinkedHashMap<String, Object>();
            told.put("error", failure instanceof EndorseException ? "EndorseError" : "GatewayError");
            told.put("code", failure.getStatus().getCode().name());
            told.put("details", details);
            return told;
        }
        throw new IllegalStateException("the call succeeded");
    }

    /** Without details, whose sentences are each network's own. */
    private static Map<String, Object> codeOf(Callable<?> call) throws Exception {
        var told = failureOf(call);
        told.remove("details");
        return told;
    }
}
