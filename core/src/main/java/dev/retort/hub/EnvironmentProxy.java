package dev.retort.hub;

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
        URI at = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
        InetSocketAddress address =
                InetSocketAddress.createUnresolved(at.getHost(), at.getPort() < 0 ? USUAL_PORT : at.getPort());
        return List.of(new Proxy(Proxy.Type.HTTP, address));
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
