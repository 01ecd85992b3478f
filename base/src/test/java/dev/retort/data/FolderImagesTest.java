package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How folders are read that people have: files are named only, the pictures in them are empty. */
class FolderImagesTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            classes, one with the name of a split | boat/1.png train/2.png tram/3.png            | boat,train,tram
            classes, one of them Test             | Test/1.png exam/2.png                        | Test,exam
            splits                                | train/a/1.png train/b/2.png test/a/3.png     | a,b
            splits as Kaggle has them             | Training/a/1.png Training/b/2.png Testing/a/3.png | a,b
            splits in capitals                    | TRAIN/a/1.png VALIDATION/a/3.png             | a
            one split                             | train/a/1.png train/b/2.png                  | a,b
            splits without classes                | train/1.png test/2.png                       | all
            splits below one folder               | set/train/a/1.png set/train/b/2.png set/test/a/3.png | a,b
            splits of several sets                | x/train/a/1.png x/test/a/2.png y/train/b/3.png | a,b
            splits below classes                  | a/train/1.png a/test/2.png b/train/3.png     | a,b
            a folder of a class named train       | a/train/1.png a/front/2.png b/3.png          | a,b
            classes below one folder              | flowers/rose/1.png flowers/lily/2.png        | lily,rose
            one class                             | rose/1.png rose/2.png                        | rose
            folders of a class                    | a/day/1.png a/night/2.png b/day/3.png        | a,b
            splits and others beside them         | train/a/1.png test/a/2.png more/a/3.png      | a
            """)
    void splits_are_told_from_classes_by_what_lies_beside_them(String what, String files, String classes)
            throws IOException {
        create(files.split(" "));
        assertThat(FolderImages.open(folder, "train", 8).classNames()).as(what).containsExactly(classes.split(","));
    }

    @ParameterizedTest
    @ValueSource(strings = {"train/a/1.png more/a/2.png", "train/1.png test/2.png exam/3.png"})
    void what_may_be_splits_or_classes_is_refused_with_both_readings(String files) throws IOException {
        create(files.split(" "));
        assertThatThrownBy(() -> FolderImages.open(folder, "train", 8))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DATA))
                .hasMessageContainingAll("train", folder.toString(), "split", "classes", "data.path");
    }

    @Test
    void a_split_is_found_by_another_of_its_names_and_the_exact_one_first() throws IOException {
        create("training/a/1.png", "valid/a/2.png", "validation/b/3.png");
        assertThat(FolderImages.open(folder, "val", 8).classNames()).containsExactly("a", "b");
        assertThat(FolderImages.open(folder, "validation", 8).classNames()).containsExactly("b");
        assertThat(FolderImages.open(folder, "train", 8).hasTestSplit()).isTrue();
        assertThatThrownBy(() -> FolderImages.open(folder, "test", 8)).hasMessageContaining("no folder 'test'");
    }

    @Test
    void a_class_is_no_split_to_ask_for() throws IOException {
        create("test/1.png", "quiz/2.png");
        assertThat(FolderImages.open(folder, "train", 8).hasTestSplit()).isFalse();
        assertThatThrownBy(() -> FolderImages.open(folder, "test", 8))
                .hasMessageContaining("all its pictures are of the split train");
    }

    @Test
    void hidden_folders_and_those_of_systems_are_neither_classes_nor_parts_of_one() throws IOException {
        create("a/1.png", "b/2.png", ".cache/3.png", "a/.thumbs/4.png", "b/@Recycle/5.png", "__MACOSX/a/6.png");
        create("$RECYCLE.BIN/7.png", "a/._1.png", ".DS_Store");
        ImageSource source = FolderImages.open(folder, "train", 8);
        assertThat(source.classNames()).containsExactly("a", "b");
        assertThat(source.size()).isEqualTo(2);
        assertThat(source.notes())
                .anyMatch(note -> note.contains("a/.thumbs") && note.contains("__MACOSX"))
                .anyMatch(note -> note.contains("a/._1.png"))
                .noneMatch(note -> note.contains("DS_Store"));
    }

    @Test
    void the_place_itself_may_be_hidden() throws IOException {
        Path inside = Files.createDirectories(folder.resolve(".data"));
        Files.createFile(inside.resolve("1.png"));
        assertThat(FolderImages.open(inside, "train", 8).size()).isEqualTo(1);
    }

    @Test
    void every_ending_of_the_formats_that_are_read_is_a_picture() throws IOException {
        create("a/1.jpe", "a/2.JFIF", "a/3.dib", "a/4.Png", "a/5.webp", "a/6.gif", "a/7.jpeg");
        ImageSource source = FolderImages.open(folder, "train", 8);
        assertThat(source.size()).isEqualTo(7);
        assertThat(source.notes()).isEmpty();
    }

    @Test
    void files_that_may_be_pictures_of_another_format_are_counted_and_texts_are_not() throws IOException {
        create("a/1.png", "b/1.png", "a/2.heic", "a/3.HEIC", "b/4.avif", "b/5", "logo.png");
        create("a/1.txt", "README.md", "LICENSE", "labels.csv");
        assertThat(FolderImages.open(folder, "train", 8).notes())
                .anyMatch(note -> note.contains("1 .avif in b, 2 .heic in a, 1 without an ending in b"))
                .anyMatch(note -> note.contains("logo.png"))
                .hasSize(2);
    }

    @Test
    void a_place_without_pictures_tells_what_it_has() throws IOException {
        create("a/1.tiff", "a/2.tiff");
        assertThatThrownBy(() -> FolderImages.open(folder, "train", 8)).hasMessageContaining("only 2 .tiff in a");
    }

    @Test
    void links_are_followed_and_those_that_lead_back_or_nowhere_are_passed_over_and_said() throws IOException {
        create("a/1.png", "b/2.png", "elsewhere.dir/3.png");
        Path set = Files.createDirectories(folder.resolve("set"));
        for (String name : new String[] {"a", "b"}) {
            Files.move(folder.resolve(name), set.resolve(name));
        }
        Files.createSymbolicLink(set.resolve("c"), folder.resolve("elsewhere.dir"));
        Files.createSymbolicLink(set.resolve("a/again"), set.resolve("a"));
        Files.createSymbolicLink(set.resolve("b/gone.png"), Path.of("none.png"));
        Files.createSymbolicLink(set.resolve("b/self.png"), Path.of("self.png"));
        ImageSource source = FolderImages.open(set, "train", 8);
        assertThat(source.classNames()).containsExactly("a", "b", "c");
        assertThat(source.size()).isEqualTo(3);
        assertThat(source.notes())
                .anyMatch(note -> note.contains("a/again") && note.contains("lead back"))
                .anyMatch(note -> note.contains("b/gone.png") && note.contains("no file"));
    }

    @Test
    void names_may_hold_any_letter_a_file_system_allows() throws IOException {
        create("a\\b/1\\2.png", "c:d/3 4.png", "é*/?.png");
        ImageSource source = FolderImages.open(folder, "train", 8);
        assertThat(source.classNames()).containsExactly("a\\b", "c:d", "é*");
        assertThatThrownBy(() -> source.read(0, new float[source.pixels()], 0))
                .as("the file is found, and empty")
                .hasMessageContaining("it is not a JPEG");
    }

    @Test
    void classes_are_read_from_files_beside_the_pictures() throws IOException {
        create("1.png", "2.png", "3.png", "4.png");
        Files.writeString(folder.resolve("1.cls"), "10");
        Files.writeString(folder.resolve("2.cls"), "9\n");
        Files.writeString(folder.resolve("3.cls"), "10");
        ImageSource source = FolderImages.open(folder, "train", 8);
        assertThat(source.classNames()).containsExactly("9", "10");
        assertThat(source.notes()).singleElement().asString().contains("4.png", "without the .cls file");
        Files.writeString(folder.resolve("4.cls"), " ");
        assertThatThrownBy(() -> FolderImages.open(folder, "train", 8))
                .hasMessageContaining("cannot read the class in " + folder.resolve("4.cls"));
    }

    @Test
    void labels_in_json_files_are_said_not_to_be_read() throws IOException {
        create("1.png", "2.png", "1.json", "2.json");
        assertThat(FolderImages.open(folder, "train", 8).notes())
                .singleElement()
                .asString()
                .contains(".json");
    }

    @Test
    void captions_may_begin_with_a_byte_order_mark_or_be_utf_16() throws IOException {
        draw("a.png", "b.png", "c.png", "d.png");
        Files.writeString(folder.resolve("a.txt"), "\ufeffa red héron\r\n");
        Files.write(folder.resolve("b.txt"), "\ufeffblue".getBytes(java.nio.charset.StandardCharsets.UTF_16LE));
        Files.writeString(
                folder.resolve("metadata.jsonl"), "\ufeff{\"file_name\": \"c.png\", \"caption\": \"green\"}\r\n");
        ImageSource source = FolderImages.open(folder, "train", 8);
        assertThat(Stream.of(0, 1, 2, 3).map(i -> caption(source, i)))
                .containsExactly("a red héron", "blue", "green", "");
        Files.write(folder.resolve("a.txt"), new byte[] {'a', (byte) 0xff});
        assertThatThrownBy(() -> caption(source, 0)).hasMessageContaining("no UTF-8 text");
    }

    @Test
    void captions_may_stand_in_a_table() throws IOException {
        draw("a/1.png", "a/2.png", "b/3.png");
        Files.writeString(folder.resolve("metadata.csv"), """
                \ufefffile_name,size,text\r
                a/1.png,3,"one, ""two"",
                three"\r
                \r
                a/2.png,4,plain
                a/9.png,4,gone
                """);
        ImageSource source = FolderImages.open(folder, "train", 8);
        assertThat(caption(source, 0)).isEqualTo("one, \"two\",\nthree");
        assertThat(caption(source, 1)).isEqualTo("plain");
        assertThat(caption(source, 2)).isEmpty();
        assertThat(source.notes()).singleElement().asString().contains("metadata.csv", "not there: a/9.png");
        Files.writeString(folder.resolve("metadata.csv"), "file_name,text\na/1.png,one,two\n");
        assertThatThrownBy(() -> FolderImages.open(folder, "train", 8))
                .hasMessageContaining("row 1 has 3 fields of 2 columns");
        Files.writeString(folder.resolve("metadata.csv"), "id,colour\n1,red\n");
        assertThat(FolderImages.open(folder, "train", 8).notes())
                .singleElement()
                .asString()
                .contains("no captions in " + folder.resolve("metadata.csv"));
    }

    @Test
    void several_captions_of_a_picture_may_stand_in_a_list() throws IOException {
        draw("a.png", "b.png", "c.png");
        Files.writeString(folder.resolve("metadata.jsonl"), """
                {"file_name": "a.png", "text": ["a red bird", "bird"]}
                {"file_name": "b.png", "text": ""}
                """);
        ImageSource source = FolderImages.open(folder, "train", 8);
        float[] out = new float[source.pixels()];
        assertThat(source.read(0, out, 0).captions()).containsExactly("a red bird", "bird");
        assertThat(source.read(1, out, 0).captions()).containsExactly("");
        assertThat(source.read(2, out, 0).captions()).isEmpty();
        assertThatThrownBy(source::requireCaptions)
                .hasMessageContaining("1 of 3 pictures")
                .hasMessageContaining("the first is " + folder + "/c.png");
        Files.writeString(folder.resolve("c.txt"), "green");
        FolderImages.open(folder, "train", 8).requireCaptions();
        Files.writeString(folder.resolve("metadata.jsonl"), "{\"file_name\": \"a.png\", \"text\": [1]}");
        assertThatThrownBy(() -> FolderImages.open(folder, "train", 8))
                .hasMessageContaining("line 1 has a text that is neither a string nor a list of strings");
    }

    private void create(String... files) throws IOException {
        for (String name : files) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.createFile(file);
        }
    }

    /** Pictures that can be read. */
    private void draw(String... files) throws IOException {
        create(files);
        for (String name : files) {
            Png.write(folder.resolve(name), PixelImage.of(new float[3 * 8 * 8], 0, 3, 8, 8));
        }
    }

    private static String caption(ImageSource source, int index) {
        return source.read(index, new float[source.pixels()], 0).caption();
    }
}
