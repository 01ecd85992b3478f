package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.net.URI;
import java.net.http.HttpHeaders;

/** What it means when the hub says no. */
final class Refusal {
    private Refusal() {}

    static RetortException of(int status, HttpHeaders headers, HubName asked, URI uri, HubSettings settings) {
        String code = headers.firstValue("x-error-code").orElse("");
        String page = settings.endpoint() + "/" + asked.repository();
        boolean token = !settings.token().isEmpty();
        if (code.equals("GatedRepo") || status == 403) {
            return new RetortException(
                    Kind.NETWORK,
                    "hf:" + asked.repository() + " is given only to those who asked for it; ask on " + page
                            + (token
                                    ? " with the account whose token is used here"
                                    : ", then set HF_TOKEN to a token of that account"));
        }
        if (status == 401) {
            return new RetortException(
                    Kind.NETWORK,
                    token
                            ? settings.endpoint() + " does not accept the token for hf:" + asked.repository()
                                    + "; check the name, and make a new token on " + settings.endpoint()
                                    + "/settings/tokens"
                            : "hf:" + asked.repository()
                                    + " does not exist or is private; check the name, or set HF_TOKEN to a token that may"
                                    + " read it");
        }
        if (status == 404 && code.equals("RevisionNotFound")) {
            return new RetortException(
                    Kind.CHECKPOINT,
                    "hf:" + asked.repository() + " has no revision '" + asked.revision() + "'; see " + page
                            + "/tree/main for its branches and tags");
        }
        if (status == 404) {
            return new RetortException(
                    Kind.CHECKPOINT,
                    asked + " does not exist on " + settings.endpoint()
                            + (token
                                    ? ", or the token may not see it"
                                    : ", or is private and asks for a token (HF_TOKEN)")
                            + "; check the name");
        }
        return new RetortException(
                Kind.NETWORK,
                uri.getHost() + " answered " + status + " for " + asked
                        + "; see whether HF_ENDPOINT is a hub and whether a proxy stands between");
    }
}
