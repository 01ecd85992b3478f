package dev.retort.hub;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The hosts that are asked without a proxy: those on this machine, and those of {@code NO_PROXY}. An entry is {@code *}, a
 * host or domain ({@code hub.example}, {@code .hub.example} or {@code *.hub.example}, each with all below it), an address,
 * or a network ({@code 10.0.0.0/8}); a host or an address may have a port.
 *
 * @param entries in lower case
 */
record NoProxy(List<String> entries) {
    private static final Pattern IPV4 = Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?!$)|$)){4}");
    private static final Pattern WITH_PORT = Pattern.compile("(\\[[^]]*]|[^:]*):(\\d+)");

    /** The list as the variable holds it: by commas, or blanks. */
    static NoProxy of(String list) {
        return new NoProxy(Arrays.stream(list.toLowerCase(Locale.ROOT).split("[,\\s]+"))
                .filter(entry -> !entry.isEmpty())
                .toList());
    }

    /**
     * Whether a host is asked without a proxy.
     *
     * @param host of an address, IPv6 with or without its brackets
     * @param port that is asked
     */
    boolean excludes(String host, int port) {
        String plain = plain(host.toLowerCase(Locale.ROOT));
        Optional<InetAddress> address = address(plain);
        return plain.equals("localhost")
                || address.filter(InetAddress::isLoopbackAddress).isPresent()
                || entries.stream().anyMatch(entry -> matches(entry, plain, address, port));
    }

    private static boolean matches(String entry, String host, Optional<InetAddress> address, int port) {
        if (entry.equals("*")) {
            return true;
        }
        int slash = entry.indexOf('/');
        if (slash >= 0) {
            return address.isPresent()
                    && inNetwork(address.get(), entry.substring(0, slash), entry.substring(slash + 1));
        }
        var withPort = WITH_PORT.matcher(entry);
        if (withPort.matches()) {
            return withPort.group(2).equals(String.valueOf(port)) && matches(withPort.group(1), host, address, port);
        }
        String name = plain(entry.replaceFirst("^\\*?\\.", ""));
        if (address.isPresent()) {
            return address(name).equals(address);
        }
        return !name.isEmpty() && (host.equals(name) || host.endsWith("." + name));
    }

    private static boolean inNetwork(InetAddress address, String network, String length) {
        byte[] host = address.getAddress();
        byte[] base = address(plain(network)).map(InetAddress::getAddress).orElse(new byte[0]);
        if (base.length != host.length || !length.matches("\\d{1,3}") || Integer.parseInt(length) > 8 * host.length) {
            return false;
        }
        int bits = Integer.parseInt(length);
        for (int i = 0; i < bits; i++) {
            int mask = 0x80 >> i % 8;
            if ((host[i / 8] & mask) != (base[i / 8] & mask)) {
                return false;
            }
        }
        return true;
    }

    /** The address that a text is; a name is none, and is not looked up. */
    private static Optional<InetAddress> address(String text) {
        if (!text.contains(":") && !IPV4.matcher(text).matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.getByName(text));
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    /** Without the brackets of IPv6 and the dot that ends a full name. */
    private static String plain(String host) {
        return host.startsWith("[") && host.endsWith("]")
                ? host.substring(1, host.length() - 1)
                : host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }
}
