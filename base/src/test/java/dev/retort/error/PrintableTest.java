package dev.retort.error;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.error.RetortException.Kind;
import dev.retort.report.TextTable;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrintableTest {
    /** As text, since the source may hold none of them. */
    private static String of(int... points) {
        return new String(points, 0, points.length);
    }

    @Test
    void what_a_terminal_obeys_is_shown_as_its_escape() {
        assertThat(Printable.line(of('a', 0x1b, '[', '3', '1', 'm', 7, 0, 0x7f)))
                .isEqualTo("a\\u001b[31m\\u0007\\u0000\\u007f");
        assertThat(Printable.line(of(0x9b, 0x9d))).isEqualTo("\\u009b\\u009d");
        assertThat(Printable.line("a\nb\r\tc")).isEqualTo("a\\nb\\r\\tc");
        assertThat(Printable.lines("a\nb\tc" + of(0x1b))).isEqualTo("a\nb\tc\\u001b");
        assertThat(Printable.line(of(0x202e, 0x2066, 0x2028, 0xd800))).isEqualTo("\\u202e\\u2066\\u2028\\ud800");
    }

    @Test
    void ordinary_text_of_any_language_stays() {
        String text = "Grüße, 猫, \ud83d\udc08, علي, é";
        assertThat(Printable.line(text)).isSameAs(text);
    }

    @Test
    void errors_and_tables_escape_what_they_name() {
        assertThat(new RetortException(Kind.DATA, "cannot read a" + of(0x1b) + "\n; fix it"))
                .hasMessage("cannot read a\\u001b\\n; fix it");
        assertThat(new TextTable(List.of("name"))
                        .row(List.of("a" + of(0x1b, '\n', 'b')))
                        .render())
                .endsWith("a\\u001b\\nb\n");
    }
}
