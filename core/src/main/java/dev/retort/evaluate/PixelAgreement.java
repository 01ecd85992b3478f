package dev.retort.evaluate;

/**
 * How far images are from others of the same noise and class.
 *
 * @param error Euclidean length of the difference of all values, of that of the others; values in [-1, 1]
 * @param psnr 10 log10(255² / mean squared difference of bytes), in dB; infinite where all are equal
 */
record PixelAgreement(double error, double psnr) {
    private static final double LEVELS = 255;

    static PixelAgreement between(byte[] images, byte[] others) {
        if (images.length != others.length) {
            throw new IllegalArgumentException(images.length + " bytes beside " + others.length);
        }
        double difference = 0;
        double size = 0;
        for (int i = 0; i < images.length; i++) {
            double other = others[i] & 0xFF;
            double apart = (images[i] & 0xFF) - other;
            difference += apart * apart;
            size += (other - LEVELS / 2) * (other - LEVELS / 2);
        }
        return new PixelAgreement(
                Math.sqrt(difference / size), 10 * Math.log10(LEVELS * LEVELS / (difference / images.length)));
    }
}
