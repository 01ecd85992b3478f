package dev.retort.springai;

import org.springframework.ai.image.ImageGenerationMetadata;

/**
 * Where a picture comes from: {@code Request.of(label).seed(seed)} draws it again at this place.
 *
 * @param revisedPrompt the class's name
 * @param label the class's number
 * @param seed of the request
 * @param index of the picture in the request
 */
public record StudentImageMetadata(String revisedPrompt, int label, long seed, int index)
        implements ImageGenerationMetadata {}
