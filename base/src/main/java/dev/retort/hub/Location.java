package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.net.URI;
import java.util.Locale;

/** Where a redirect leads: not every server escapes what it writes there. */
final class Location {
    private static final String ILLEGAL = "\"<>\\^`{|}";

    private Location() {}

    /**
     * The address that is asked next.
     *
     * @param from what was asked
     * @param location as the server sent it, one character for each byte
     * @throws RetortException of kind NETWORK where it is no address, or one that is not asked: a file, or an open connection
     *     after an encrypted one
     */
    static URI next(URI from, String location) {
        try {
            URI uri = from.resolve(escaped(location.strip()));
            boolean secure = "https".equalsIgnoreCase(uri.getScheme());
            boolean web = secure || "http".equalsIgnoreCase(uri.getScheme());
            boolean unveiled = "https".equalsIgnoreCase(from.getScheme()) && !secure;
            boolean port = uri.getPort() != 0 && uri.getPort() <= 0xffff;
            if (web && !unveiled && port && uri.getHost() != null && !location.isBlank()) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // refused below, like every place that is none
        }
        throw new RetortException(
                Kind.NETWORK,
                from.getHost() + " leads to '" + Quote.of(location)
                        + "', where nothing is fetched from; see whether HF_ENDPOINT is a hub");
    }

    private static String escaped(String location) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < location.length(); i++) {
            char c = location.charAt(i);
            boolean code = c == '%' && location.substring(i).matches("(?s)%[0-9A-Fa-f]{2}.*");
            boolean legal = c > ' ' && c < 0x7f && ILLEGAL.indexOf(c) < 0 && (c != '%' || code);
            text.append(legal ? String.valueOf(c) : String.format(Locale.ROOT, "%%%02X", (int) c));
        }
        return text.toString();
    }
}
