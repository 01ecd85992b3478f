package dev.retort.tokenizer;

import dev.retort.text.ClipTokenizer;
import dev.retort.text.ClipTokenizer.Specials;
import dev.retort.text.Merge;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/**
 * The tokenizer of every published CLIP encoder, which models in one file leave out because every program has it. Its merges are those of
 * openai/CLIP (MIT licence), of whose list the first 48,894 are used; letters, merges and two specials in that order are the vocabulary.
 */
public final class PublishedTokenizer {
    /** Ids that it has. */
    public static final int VOCABULARY = 49408;

    private static final String MERGES = "clip-merges.txt.gz";
    /** What later encoders, those of OpenCLIP, fill texts with: its id is 0. */
    private static final String ZERO = "!";

    private PublishedTokenizer() {}

    /**
     * Makes it.
     *
     * @param length ids of a text
     * @param padsWithZero whether what is left of a text is filled with id 0, as for OpenCLIP's encoders, else with that of the end
     */
    public static ClipTokenizer of(int length, boolean padsWithZero) {
        List<Merge> merges = merges();
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (String end : List.of("", ClipTokenizer.END_OF_WORD)) {
            letters().forEach(letter -> ids.put(Character.toString(letter) + end, ids.size()));
        }
        merges.forEach(merge -> ids.put(merge.joined(), ids.size()));
        Specials usual = Specials.CLIP;
        ids.put(usual.start(), ids.size());
        ids.put(usual.end(), ids.size());
        Specials specials = padsWithZero ? new Specials(usual.start(), usual.end(), usual.unknown(), ZERO) : usual;
        return new ClipTokenizer(ids, merges, specials, Set.of(), length);
    }

    /** In the order of their ids: the printable ones of Latin 1, then those that stand for other bytes. */
    private static IntStream letters() {
        return IntStream.of(33, 161, 174, 256)
                .flatMap(first -> IntStream.rangeClosed(
                        first, first == 33 ? 126 : first == 161 ? 172 : first == 174 ? 255 : 323));
    }

    private static List<Merge> merges() {
        List<Merge> merges = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(PublishedTokenizer.class.getResourceAsStream(MERGES)), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int space = line.indexOf(' ');
                merges.add(new Merge(line.substring(0, space), line.substring(space + 1)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return merges;
    }
}
