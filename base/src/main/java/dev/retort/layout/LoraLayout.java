package dev.retort.layout;

import dev.retort.io.SafetensorsWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** How programs name the tensors of a LoRA. */
public enum LoraLayout {
    /** The PEFT library, and diffusers since it uses that: {@code unet.M.lora_A.weight}. */
    PEFT(".lora_A.weight", ".lora_B.weight"),
    /** diffusers' training scripts: {@code unet.M.lora.down.weight}. */
    DIFFUSERS(".lora.down.weight", ".lora.up.weight"),
    /** kohya's scripts and the WebUI: {@code lora_unet_M.lora_down.weight}, dots of M as low lines, and {@code .alpha}. */
    KOHYA(".lora_down.weight", ".lora_up.weight"),
    /** diffusers before that: {@code unet.M.processor.to_q_lora.down.weight}; it is read, not written. */
    PROCESSOR("", "");

    private final String down;
    private final String up;

    LoraLayout(String down, String up) {
        this.down = down;
        this.up = up;
    }

    /** What users call it. */
    public String id() {
        return this == PROCESSOR ? "diffusers-old" : name().toLowerCase(Locale.ROOT);
    }

    /** Those that can be written. */
    public static List<LoraLayout> written() {
        return List.of(PEFT, DIFFUSERS, KOHYA);
    }

    /**
     * Writes an adapter in fp32. B is multiplied by alpha/rank, so that alpha equals the rank and a reader that knows no alpha applies
     * it rightly; kohya's layout says that alpha all the same.
     *
     * @param denoiser how the denoiser is called: {@code unet} or {@code transformer}
     * @param pairs of modules whose paths have dots
     */
    public void write(Path file, String denoiser, List<LoraPair> pairs) {
        SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
        boolean two = pairs.stream().anyMatch(pair -> pair.component() == LoraComponent.TEXT_ENCODER_2);
        for (LoraPair pair : pairs) {
            String name = name(denoiser, two, pair);
            writer.add(name + down, pair.downShape(), pair.down().get());
            writer.add(name + up, pair.upShape(), pair.scaledUp());
            if (this == KOHYA) {
                writer.add(name + ".alpha", new long[0], new float[] {pair.rank()});
            }
        }
        writer.write(file);
    }

    private String name(String denoiser, boolean twoEncoders, LoraPair pair) {
        if (pair.underscored()) {
            throw new IllegalArgumentException(pair.name() + " has no path with dots");
        }
        boolean low = this == KOHYA;
        String start =
                switch (pair.component()) {
                    case DENOISER -> low ? "lora_unet" : denoiser;
                    case TEXT_ENCODER -> low ? twoEncoders ? "lora_te1" : "lora_te" : "text_encoder";
                    case TEXT_ENCODER_2 -> low ? "lora_te2" : "text_encoder_2";
                };
        return low ? start + "_" + pair.module().replace('.', '_') : start + "." + pair.module();
    }
}
