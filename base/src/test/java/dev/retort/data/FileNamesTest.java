package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names with other letters than ASCII, in locales that can and cannot say them. */
class FileNamesTest {
    private static final String CAFE = "caf\u00e9";

    @TempDir
    private Path folder;

    /** A process in another locale: opens the folder that is named, or makes a path of a word of its own. */
    public static final class Child {
        private Child() {}

        /** Prints what came of it, or the kind and the sentence of what it threw. */
        public static void main(String[] args) {
            try {
                DataConfig spec = new DataConfig.Folder(args.length == 0 ? CAFE : args[0], "train", 16, false);
                byte[] names = String.valueOf(spec.open().classNames()).getBytes(StandardCharsets.UTF_8);
                System.out.write(names, 0, names.length);
                System.out.flush();
            } catch (RetortException e) {
                System.out.println(e.kind() + " " + e.getMessage());
            }
        }
    }

    private String inLocale(String locale, String... args) throws Exception {
        List<String> java = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName());
        return run(locale, Stream.concat(java.stream(), Stream.of(args)).toList());
    }

    private String run(String locale, List<String> command) throws Exception {
        Path out = folder.resolve("out");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
        builder.environment().put("LC_ALL", locale);
        Process process = builder.start();
        assertThat(process.waitFor(4, TimeUnit.MINUTES)).isTrue();
        return Files.readString(out);
    }

    /** A folder with one class of one picture; the shell writes names in any bytes, whatever locale this test runs in. */
    private String pictures(String escapedClass) throws Exception {
        Path pictures = folder.resolve("pictures");
        String script = "d=" + pictures + "/$(printf '" + escapedClass + "'); mkdir -p \"$d\"; cp "
                + "src/test/resources/images/drawing.png \"$d/1.png\"";
        assertThat(run("C", List.of("sh", "-c", script))).isEmpty();
        return pictures.toString();
    }

    @Test
    void classes_of_any_letters_are_read_where_the_locale_says_utf_8() throws Exception {
        assertThat(inLocale("C.UTF-8", pictures("caf\\303\\251"))).isEqualTo("[" + CAFE + "]");
    }

    @Test
    void where_the_locale_has_no_such_letters_the_sentence_says_what_to_set() throws Exception {
        assertThat(inLocale("C", pictures("caf\\303\\251")))
                .startsWith("ENVIRONMENT ")
                .contains("LANG=C.UTF-8");
        assertThat(inLocale("C"))
                .startsWith("ENVIRONMENT 'caf?' cannot be used")
                .contains("LANG=C.UTF-8");
    }

    @Test
    void a_name_in_another_encoding_is_told_from_a_damaged_picture() throws Exception {
        assertThat(inLocale("C.UTF-8", pictures("caf\\351")))
                .startsWith("DATA ")
                .contains("not written in UTF-8", "rename it");
    }

    @Test
    void a_text_that_no_locale_takes_for_a_path_is_a_wrong_field() {
        assertThatThrownBy(() -> FileNames.path("a\0b"))
                .hasMessageStartingWith("'a?b' is not a path (")
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONFIG));
        assertThat(FileNames.path("a/b")).isEqualTo(Path.of("a/b"));
    }
}
