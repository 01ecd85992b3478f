package dev.retort.springai;

import org.springframework.ai.image.ImageGenerationMetadata;

/**
 * Where a picture comes from: {@code Request.of(label).seed(seed)}, or of a prompt {@code Request.ofPrompts(prompt).seed(seed)}, draws it again at this place.
 *
 * @param revisedPrompt the prompt, or the class's name
 * @param label the class's number; {@code null} where the student takes prompts
 * @param seed of the request
 * @param index of the picture in the request
 */
public record StudentImageMetadata(String revisedPrompt, Integer label, long seed, int index)
        implements ImageGenerationMetadata {}
