package dev.retort.report;

import dev.retort.error.Printable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A table for a terminal: first column flush left, all others flush right, long headings broken over lines. */
public final class TextTable {
    private static final int HEADING_WIDTH = 16;
    private static final String GAP = "  ";

    private final List<List<String>> headings = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    /** @param header one heading per column */
    public TextTable(List<String> header) {
        this(header, HEADING_WIDTH);
    }

    /** @param width characters beyond which a line of a heading takes no further word */
    TextTable(List<String> header, int width) {
        header.forEach(heading -> headings.add(wrap(heading, width)));
    }

    /** Adds a row; it has as many cells as the header. Control characters are shown as their escapes. */
    public TextTable row(List<String> cells) {
        if (cells.size() != headings.size()) {
            throw new IllegalArgumentException(
                    "row " + cells + ": " + cells.size() + " cells, expected " + headings.size());
        }
        rows.add(cells.stream().map(Printable::line).toList());
        return this;
    }

    /** Adds a heading above the rows that follow. */
    public TextTable section(String title) {
        rows.add(List.of(Printable.line(title)));
        return this;
    }

    /** The table as lines that end in {@code \n}, without trailing blanks. */
    public String render() {
        int[] widths = new int[headings.size()];
        int headerLines = 1;
        for (int c = 0; c < widths.length; c++) {
            headerLines = Math.max(headerLines, headings.get(c).size());
            for (String line : headings.get(c)) {
                widths[c] = Math.max(widths[c], length(line));
            }
        }
        for (List<String> row : rows) {
            for (int c = 0; row.size() == widths.length && c < widths.length; c++) {
                widths[c] = Math.max(widths[c], length(row.get(c)));
            }
        }
        StringBuilder out = new StringBuilder();
        for (int line = 0; line < headerLines; line++) {
            List<String> cells = new ArrayList<>();
            for (List<String> heading : headings) {
                int from = headerLines - heading.size(); // headings stand on the rule
                cells.add(line < from ? "" : heading.get(line - from));
            }
            append(out, cells, widths);
        }
        out.append("─".repeat(Arrays.stream(widths).sum() + GAP.length() * (widths.length - 1)))
                .append('\n');
        for (List<String> row : rows) {
            if (row.size() == widths.length) {
                append(out, row, widths);
            } else {
                out.append(row.get(0)).append('\n');
            }
        }
        return out.toString();
    }

    private static void append(StringBuilder out, List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int c = 0; c < cells.size(); c++) {
            String cell = cells.get(c);
            String pad = " ".repeat(widths[c] - length(cell));
            line.append(c == 0 ? cell + pad : GAP + pad + cell);
        }
        out.append(line.toString().stripTrailing()).append('\n');
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    private static List<String> wrap(String heading, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : heading.split(" ")) {
            if (line.length() > 0 && line.length() + 1 + word.length() > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.length() > 0 ? " " : "").append(word);
        }
        lines.add(line.toString());
        return lines;
    }
}
