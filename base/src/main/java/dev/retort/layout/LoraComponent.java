package dev.retort.layout;

import java.util.List;

/** Which network of a pipeline an adapter belongs to, by how names of tensors begin. */
public enum LoraComponent {
    /** The second text encoder, of Stable Diffusion XL. */
    TEXT_ENCODER_2("the second text encoder", List.of("text_encoder_2"), List.of("lora_te2")),
    /** The text encoder, or the first of two. */
    TEXT_ENCODER("the text encoder", List.of("text_encoder"), List.of("lora_te1", "lora_te")),
    /** The U-Net or transformer that predicts noise; names without a beginning are its too. */
    DENOISER(
            "the denoiser",
            List.of("unet", "transformer", "model.diffusion_model", "diffusion_model"),
            List.of("lora_unet", "lora_transformer"));

    private final String text;
    private final List<String> dotted;
    private final List<String> underscored;

    LoraComponent(String text, List<String> dotted, List<String> underscored) {
        this.text = text;
        this.dotted = dotted;
        this.underscored = underscored;
    }

    /** In words. */
    public String text() {
        return text;
    }

    /** Beginnings before a path with dots. */
    List<String> dotted() {
        return dotted;
    }

    /** Beginnings before a path with low lines. */
    List<String> underscored() {
        return underscored;
    }
}
