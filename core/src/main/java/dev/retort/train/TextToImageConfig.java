package dev.retort.train;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.text.ClipTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A U-Net of the Stable Diffusion type with a CLIP text encoder of its own, both to be trained from nothing on pictures with captions; the
 * tokenizer is made of their captions.
 *
 * @param channels of each level, from full size down
 * @param blocks residual blocks of each level on the way down; on the way up there is one more
 * @param layers transformer layers behind each block, for each level; 0 for none
 * @param headWidth width of an attention head of the U-Net
 * @param text the encoder
 * @param captionDropout share of captions dropped in training; 0 allows no guidance
 */
public record TextToImageConfig(
        List<Integer> channels, int blocks, List<Integer> layers, int headWidth, Encoder text, double captionDropout)
        implements NetworkConfig {
    /**
     * A text encoder and what it reads.
     *
     * @param vocabulary most tokens of its tokenizer
     * @param length most tokens of a text, start and end included
     * @param width width of a token's state
     * @param layers blocks
     * @param heads attention heads
     */
    public record Encoder(int vocabulary, int length, int width, int layers, int heads) {
        /** What a configuration may leave out: all of it. */
        public static Map<String, ?> defaults() {
            return Map.of("vocabulary", 512, "length", 24, "width", 64, "layers", 2, "heads", 4);
        }
    }

    /** Captions that a tokenizer is made of, and that a card tells of. */
    private static final int LEARNED = 2000;

    private static final int TOLD = 64;

    /** Validates. */
    public TextToImageConfig {
        channels = List.copyOf(channels);
        layers = List.copyOf(layers);
        Require.between("captionDropout", captionDropout, 0, 0.99);
        unet(channels, blocks, layers, headWidth, new ImageShape(1, 64, 64), text);
    }

    /** What a configuration may leave out: all but the channels. */
    public static Map<String, ?> defaults() {
        return Map.of("blocks", 2, "layers", List.of(), "headWidth", 16, "text", Map.of(), "captionDropout", 0.1);
    }

    /** Of the captions of the first pictures; the card tells of those of the test split where there is one. */
    @Override
    public Optional<TextCard> text(ImageSource source) {
        source.requireCaptions();
        List<String> captions = captions(source, LEARNED);
        return Optional.of(
                new TextCard(captions.stream().distinct().limit(TOLD).toList(), List.of(tokenizer(captions))));
    }

    private ClipTokenizer tokenizer(List<String> captions) {
        try {
            return ClipTokenizer.learn(captions, text.vocabulary(), text.length());
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, "model.text." + e.getMessage(), e);
        }
    }

    private static List<String> captions(ImageSource source, int most) {
        List<String> captions = new ArrayList<>();
        for (long i = 0; i < Math.min(most, source.size()); i++) {
            captions.addAll(source.note(i).captions());
        }
        return captions;
    }

    @Override
    public NetworkSpec spec(String field, ImageSource source, boolean learnSigma) {
        return spec(field, text(source), source, learnSigma);
    }

    @Override
    public NetworkSpec spec(String field, Optional<TextCard> told, ImageSource source, boolean learnSigma) {
        source.requireCaptions();
        if (learnSigma) {
            throw new RetortException(
                    Kind.CONFIG,
                    field + " is a text-to-image network, which predicts no variance; choose another objective");
        }
        ClipTokenizer tokenizer = tokenizer(field, told.or(() -> text(source)).orElseThrow());
        UNetSpec unet = unet(
                channels,
                blocks,
                layers,
                headWidth,
                new ImageShape(source.channels(), source.height(), source.width()),
                text);
        return new TextToImageSpec(
                unet,
                List.of(new ClipTextSpec(
                        tokenizer.vocabulary(), text.length(), text.width(), text.layers(), text.heads())));
    }

    /** Its tokens are those of the encoder's embeddings, so one of another size is refused. */
    private ClipTokenizer tokenizer(String field, TextCard told) {
        ClipTokenizer first = told.tokenizers().get(0);
        int number = told.tokenizers().size();
        if (number > 1 || first.vocabulary() > text.vocabulary() || first.length() != text.length()) {
            throw new RetortException(
                    Kind.CONFIG,
                    field + ".text asks for 1 encoder of at most " + text.vocabulary() + " tokens and texts of "
                            + text.length() + ", but the model that it begins with or learns from has " + number
                            + ", of " + first.vocabulary() + " tokens and texts of " + first.length() + "; "
                            + (number > 1
                                    ? "take a model of one encoder"
                                    : "let " + field + ".text.vocabulary be " + first.vocabulary() + " and " + field
                                            + ".text.length " + first.length()));
        }
        return first;
    }

    private static UNetSpec unet(
            List<Integer> channels, int blocks, List<Integer> layers, int headWidth, ImageShape image, Encoder text) {
        return UNetSizes.of(
                image,
                channels,
                blocks,
                layers,
                headWidth,
                UNetSpec.Told.of(new UNetSpec.Text(text.length(), text.width())));
    }

    @Override
    public double dropout() {
        return captionDropout;
    }
}
