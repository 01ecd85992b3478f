package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Optional;

/** What it means when the hub says no. */
final class HubErrors {
    private HubErrors() {}

    /** A proxy asks for a password, or for another one. */
    static RetortException byProxy(HttpHeaders headers, Optional<ProxyServer> proxy) {
        List<String> schemes = headers.allValues("proxy-authenticate").stream()
                .map(challenge -> challenge.strip().split("[ ,]", 2)[0])
                .distinct()
                .toList();
        String asks = schemes.isEmpty() ? "" : " (" + Quote.of(String.join(", ", schemes)) + ")";
        String who = proxy.map(server -> "the proxy " + server).orElse("a proxy");
        String variable = proxy.map(ProxyServer::variable).orElse("HTTPS_PROXY");
        String form = "http://USER:PASSWORD@" + proxy.map(ProxyServer::toString).orElse("HOST:PORT");
        if (!schemes.isEmpty() && schemes.stream().noneMatch("Basic"::equalsIgnoreCase)) {
            return new RetortException(
                    Kind.NETWORK,
                    who + " asks for a way to log in" + asks
                            + " that is not supported, only Basic is; run a local proxy that logs in there, such as cntlm, and"
                            + " name it in " + variable);
        }
        boolean sent = proxy.filter(server -> !server.credentials().isEmpty()).isPresent();
        return new RetortException(
                Kind.NETWORK,
                sent
                        ? who + " does not accept the user and the password of " + variable
                                + " (407); correct them there, with @ and : in them written as %40 and %3A"
                        : who + " asks for a user and a password (407); set " + variable + "=" + form
                                + ", with @ and : in them written as %40 and %3A");
    }

    /** A proxy does not connect to a host. */
    static RetortException ofTunnel(int status, String proxy, URI uri, IOException cause) {
        return new RetortException(
                Kind.NETWORK,
                proxy + " refuses to connect to " + uri.getHost() + " (" + status
                        + "); ask who runs it, or add the host to NO_PROXY if it can be reached without a proxy",
                cause);
    }

    static RetortException of(int status, HttpHeaders headers, HubName asked, URI uri, HubSettings settings) {
        String code = headers.firstValue("x-error-code").orElse("");
        String page = settings.endpoint() + "/" + asked.repository();
        boolean token = !settings.token().isEmpty();
        if (code.equals("GatedRepo") || status == 403) {
            return new RetortException(
                    Kind.NETWORK,
                    "hf:" + asked.repository() + " is given only to those who asked for access; ask for it on " + page
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
                        + "; see whether HF_ENDPOINT is a hub and whether a proxy is in between");
    }
}
