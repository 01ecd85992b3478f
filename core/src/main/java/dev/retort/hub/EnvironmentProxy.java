package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The proxy of {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code NO_PROXY}, which Java does not read by itself. */
final class EnvironmentProxy extends ProxySelector {
    private static final int USUAL_PORT = 80;
    private final Map<String, String> environment;

    EnvironmentProxy(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public List<Proxy> select(URI uri) {
        String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
        String proxy = variable(uri.getScheme() + "_proxy");
        if (proxy.isEmpty() || isExcluded(host, variable("no_proxy"))) {
            return ProxySelector.getDefault() == null
                    ? List.of(Proxy.NO_PROXY)
                    : ProxySelector.getDefault().select(uri);
        }
        return List.of(new Proxy(Proxy.Type.HTTP, address(proxy)));
    }

    private static InetSocketAddress address(String proxy) {
        try {
            URI at = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
            if (at.getHost() != null) {
                return InetSocketAddress.createUnresolved(at.getHost(), at.getPort() < 0 ? USUAL_PORT : at.getPort());
            }
        } catch (IllegalArgumentException e) {
            // refused below
        }
        throw new RetortException(
                Kind.ENVIRONMENT,
                "the environment names a proxy (HTTPS_PROXY or HTTP_PROXY) that is no address; write http://HOST:PORT");
    }

    private String variable(String name) {
        String lower = environment.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        return lower.isBlank()
                ? environment.getOrDefault(name.toUpperCase(Locale.ROOT), "").strip()
                : lower.strip();
    }

    /** Loopback is never asked through a proxy. */
    private static boolean isExcluded(String host, String list) {
        return host.equals("localhost")
                || host.startsWith("127.")
                || host.equals("[::1]")
                || Arrays.stream(list.toLowerCase(Locale.ROOT).split(","))
                        .map(entry -> entry.strip().replaceFirst("^\\*?\\.", ""))
                        .filter(entry -> !entry.isEmpty())
                        .anyMatch(entry -> entry.equals("*") || host.equals(entry) || host.endsWith("." + entry));
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException e) {
        // the request itself fails and says so
    }
}
