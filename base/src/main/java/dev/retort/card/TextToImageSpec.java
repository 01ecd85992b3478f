package dev.retort.card;

import dev.retort.config.Require;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A U-Net with the text encoders that it is told by, as one network.
 *
 * @param unet the denoiser, told states as wide as those of all encoders side by side
 * @param encoders in the order in which their states are put side by side; the last one's pooled state is told too where the U-Net wants it
 * @param zeroNone whether "no condition" is told as zeros in the place of the states of the empty text, as SDXL's base is (Podell et al.
 *     2023)
 */
public record TextToImageSpec(UNetSpec unet, List<ClipTextSpec> encoders, boolean zeroNone) implements NetworkSpec {
    /** Name of the denoiser among the parts of the network, as pipelines of other programs call it. */
    public static final String UNET = "unet";

    /** Validates. */
    public TextToImageSpec {
        Require.notEmpty("encoders", encoders);
        encoders = List.copyOf(encoders);
        UNetSpec.Text told = unet.told().text().orElse(null);
        Require.that(told != null, "unet.told.text", null, "states of a text: the network has text encoders");
        int width = encoders.stream().mapToInt(ClipTextSpec::width).sum();
        Require.that(
                told.width() == width,
                "unet.told.text.width",
                told.width(),
                width + ", the width of its encoders' states");
        for (ClipTextSpec encoder : encoders) {
            Require.that(
                    told.tokens() <= encoder.length(),
                    "unet.told.text.tokens",
                    told.tokens(),
                    "at most " + encoder.length() + ", the length of its text encoder");
        }
        int pooled = unet.told().pooled().map(UNetSpec.Pooled::width).orElse(0);
        int projection = encoders.get(encoders.size() - 1).projection();
        Require.that(
                pooled == 0 || pooled == projection,
                "unet.told.pooled.width",
                pooled,
                projection + ", the width of the last encoder's pooled state");
    }

    /** A network that is told the empty text where there is no condition. */
    public TextToImageSpec(UNetSpec unet, List<ClipTextSpec> encoders) {
        this(unet, encoders, false);
    }

    private TextToImageSpec of(NetworkSpec other) {
        return new TextToImageSpec((UNetSpec) other, encoders, zeroNone);
    }

    /** Name of a text encoder among the parts of the network, as pipelines of other programs call them. */
    public static String encoder(int index) {
        return index == 0 ? "text_encoder" : "text_encoder_" + (index + 1);
    }

    /** The U-Net that a network is or has, if any. */
    public static Optional<UNetSpec> unet(NetworkSpec network) {
        return network instanceof TextToImageSpec whole
                ? Optional.of(whole.unet)
                : network instanceof UNetSpec unet ? Optional.of(unet) : Optional.empty();
    }

    /** The same network with another U-Net in the place of the one that it is or has. */
    public static NetworkSpec with(NetworkSpec network, UNetSpec unet) {
        return network instanceof TextToImageSpec whole ? whole.of(unet) : unet;
    }

    @Override
    public String name() {
        return unet.name();
    }

    @Override
    public int channels() {
        return unet.channels();
    }

    @Override
    public int height() {
        return unet.height();
    }

    @Override
    public int width() {
        return unet.width();
    }

    @Override
    public int sizeMultiple() {
        return unet.sizeMultiple();
    }

    @Override
    public TextToImageSpec withSize(int height, int width) {
        return of(unet.withSize(height, width));
    }

    /** Tokens in the place of states, and what else the U-Net is told but a pooled state; the empty text is "no condition". */
    @Override
    public ConditionSpec condition() {
        ConditionSpec states = unet.condition();
        Map<Part, List<Integer>> parts = new EnumMap<>(Part.class);
        parts.putAll(states.parts());
        parts.remove(Part.POOLED);
        parts.remove(Part.TEXT);
        parts.put(
                Part.TOKENS,
                List.of(encoders.size(), unet.told().text().orElseThrow().tokens()));
        return new ConditionSpec(parts, 0, true);
    }

    @Override
    public ScalarInputs scalars() {
        return unet.scalars();
    }

    @Override
    public TextToImageSpec with(ScalarInputs told) {
        return of(unet.with(told));
    }

    @Override
    public int outputs() {
        return unet.outputs();
    }

    @Override
    public TextToImageSpec withOutputs(int heads) {
        return of(unet.withOutputs(heads));
    }

    @Override
    public boolean learnSigma() {
        return unet.learnSigma();
    }

    @Override
    public long parameters() {
        return unet.parameters()
                + encoders.stream().mapToLong(ClipTextSpec::parameters).sum();
    }

    /** Of the U-Net: a text is encoded once for all steps. */
    @Override
    public long macs() {
        return unet.macs();
    }

    @Override
    public String parts() {
        return unet.parts() + ", " + (encoders.size() == 1 ? "a text encoder" : encoders.size() + " text encoders");
    }

    @Override
    public List<TapPoint> taps() {
        return unet.taps();
    }

    /** Of the U-Net, which is the child {@code unet} of the whole. */
    @Override
    public List<String> blocks() {
        return unet.blocks().stream().map(block -> UNET + "." + block).toList();
    }
}
