package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A proxy that the environment names.
 *
 * @param variable the variable that names it, for messages
 * @param host its host
 * @param port its port
 * @param credentials {@code USER:PASSWORD}; empty for none
 */
record ProxyServer(String variable, String host, int port, String credentials) {
    private static final int USUAL_PORT = 80;
    private static final Pattern FORM = Pattern.compile(
            "(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:(.*)@)?(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::(\\d{1,5}))?(?:/.*)?");

    /**
     * Reads {@code http://USER:PASSWORD@HOST:PORT}, of which only the host is needed.
     *
     * @throws RetortException of kind ENVIRONMENT where it is no such address, or a proxy of a kind that is not spoken; no
     *     message shows the password
     */
    static ProxyServer parse(String variable, String text) {
        Matcher form = FORM.matcher(text);
        int port = form.matches() && form.group(4) != null ? Integer.parseInt(form.group(4)) : USUAL_PORT;
        if (!form.matches() || port == 0 || port > 0xffff) {
            throw new RetortException(
                    Kind.ENVIRONMENT, variable + " is not the address of a proxy; write http://HOST:PORT");
        }
        String scheme = form.group(1) == null ? "http" : form.group(1).toLowerCase(Locale.ROOT);
        if (!scheme.equals("http")) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    variable + " names a proxy of the kind " + scheme
                            + "://, and only http:// proxies are supported; set "
                            + (variable.equalsIgnoreCase("ALL_PROXY") ? "HTTPS_PROXY" : variable)
                            + " to http://HOST:PORT, or add the hub's host to NO_PROXY if it can be reached without a proxy");
        }
        String host = form.group(3);
        return new ProxyServer(
                variable,
                host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
                port,
                form.group(2) == null ? "" : decoded(form.group(2)));
    }

    /** What the proxy is told in {@code Proxy-Authorization}; empty where there is no password. */
    String authorization() {
        return credentials.isEmpty()
                ? ""
                : "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
    }

    /** {@code %40} is an at sign; a percent sign that starts no such code is itself. */
    private static String decoded(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] raw = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < raw.length; i++) {
            int high = raw[i] == '%' && i + 2 < raw.length ? Character.digit(raw[i + 1], 16) : -1;
            int low = high >= 0 ? Character.digit(raw[i + 2], 16) : -1;
            bytes.write(low >= 0 ? high * 16 + low : raw[i]);
            i += low >= 0 ? 2 : 0;
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
