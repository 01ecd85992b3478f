package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;

/**
 * A model on the hub, as a user writes it: {@code hf:OWNER/NAME[/PATH][@REVISION]}.
 *
 * @param owner user or organisation
 * @param name the repository's name
 * @param path a file or a folder in it; empty for the whole
 * @param revision branch, tag, {@code refs/pr/N} or commit
 */
public record HubName(String owner, String name, String path, String revision) {
    /** What tells such a name from a path. */
    public static final String PREFIX = "hf:";
    /** The branch that is meant where none is named. */
    public static final String MAIN = "main";

    private static final String FORM = "hf:OWNER/NAME, hf:OWNER/NAME/FILE or hf:OWNER/NAME@REVISION";
    private static final int LONGEST = 96;

    public HubName {
        requirePart("owner", owner);
        requirePart("name", name);
        if (!path.isEmpty() && !SafePath.is(path)) {
            throw wrong("path '" + path + "' is not a path inside a repository");
        }
        if (!SafePath.is(revision) || !revision.matches("[A-Za-z0-9._/+-]+") || revision.startsWith("-")) {
            throw wrong("revision '" + revision + "' is not a branch, tag or commit");
        }
    }

    /** Whether a text means the hub; everything else is a path. */
    public static boolean is(String text) {
        return text.startsWith(PREFIX);
    }

    /** @throws RetortException of kind USAGE where the text is no such name */
    public static HubName parse(String text) {
        if (!is(text)) {
            throw wrong("'" + text + "' does not begin with " + PREFIX);
        }
        String rest = text.substring(PREFIX.length());
        int at = rest.lastIndexOf('@');
        String revision = at < 0 ? MAIN : rest.substring(at + 1);
        String[] parts = (at < 0 ? rest : rest.substring(0, at)).split("/", 3);
        if (parts.length < 2) {
            throw wrong("'" + text + "' names no repository");
        }
        return new HubName(parts[0], parts[1], parts.length < 3 ? "" : parts[2], revision);
    }

    /** The same at another revision. */
    public HubName at(String other) {
        return new HubName(owner, name, path, other);
    }

    /** {@code OWNER/NAME}. */
    public String repository() {
        return owner + "/" + name;
    }

    @Override
    public String toString() {
        return PREFIX
                + repository()
                + (path.isEmpty() ? "" : "/" + path)
                + (revision.equals(MAIN) ? "" : "@" + revision);
    }

    /** What the hub allows; '--' would be ambiguous in the cache's folder names. */
    private static void requirePart(String what, String part) {
        boolean edges = part.matches("[A-Za-z0-9_].*") && !part.matches(".*[.-]");
        if (!part.matches("[A-Za-z0-9._-]+")
                || part.length() > LONGEST
                || part.contains("--")
                || part.contains("..")
                || !edges) {
            throw wrong(what + " '" + part + "' is not one of the hub");
        }
    }

    private static RetortException wrong(String what) {
        return new RetortException(Kind.USAGE, what + "; write " + FORM);
    }
}
