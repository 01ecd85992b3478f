package dev.retort.data;

import java.util.ArrayList;
import java.util.List;

/** Comma-separated values as RFC 4180 has them: quoted fields may hold commas, line breaks and doubled quotes. */
final class CsvTable {
    private final String text;
    private int at;

    private CsvTable(String text) {
        this.text = text;
    }

    /** The rows, the first with the names of the columns; blank lines are passed over. */
    static List<List<String>> rows(String text) {
        CsvTable table = new CsvTable(text);
        List<List<String>> rows = new ArrayList<>();
        while (table.at < text.length()) {
            List<String> row = table.row();
            if (!row.equals(List.of(""))) {
                rows.add(row);
            }
        }
        return rows;
    }

    private List<String> row() {
        List<String> row = new ArrayList<>();
        while (true) {
            row.add(at < text.length() && text.charAt(at) == '"' ? quoted() : plain());
            if (at < text.length() && text.charAt(at) == ',') {
                at++;
            } else {
                at += text.startsWith("\r\n", at) ? 2 : 1;
                return row;
            }
        }
    }

    private String plain() {
        int start = at;
        while (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        return text.substring(start, at);
    }

    private String quoted() {
        StringBuilder field = new StringBuilder();
        for (at++; at < text.length(); at++) {
            if (text.charAt(at) != '"') {
                field.append(text.charAt(at));
            } else if (text.startsWith("\"\"", at)) {
                field.append('"');
                at++;
            } else {
                at++;
                break;
            }
        }
        return field + plain(); // what follows a closing quote belongs to the field
    }
}
