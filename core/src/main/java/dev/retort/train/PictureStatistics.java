package dev.retort.train;

import dev.retort.io.PixelImage;
import java.util.List;

/**
 * What is compared of made and real pictures, values in [-1, 1].
 *
 * @param mean of all values
 * @param std their standard deviation
 * @param distance root mean square difference of two pictures of one class, the mean over pairs; NaN where there are none
 */
public record PictureStatistics(double mean, double std, double distance) {
    private static final int NEIGHBOURS = 9; // with as many before it a picture is compared

    /** Of pictures of one size, each with its class. */
    static PictureStatistics of(List<PixelImage> pictures, int[] labels) {
        double sum = 0;
        double squares = 0;
        double distances = 0;
        long values = 0;
        long pairs = 0;
        for (int i = 0; i < pictures.size(); i++) {
            byte[] picture = pictures.get(i).pixels();
            for (byte value : picture) {
                double shade = (value & 0xff) / 127.5 - 1;
                sum += shade;
                squares += shade * shade;
            }
            values += picture.length;
            for (int j = i - 1, met = 0; j >= 0 && met < NEIGHBOURS; j--) {
                if (labels[j] == labels[i]) {
                    distances += distance(picture, pictures.get(j).pixels());
                    pairs++;
                    met++;
                }
            }
        }
        double mean = sum / values;
        return new PictureStatistics(mean, Math.sqrt(squares / values - mean * mean), distances / pairs);
    }

    private static double distance(byte[] a, byte[] b) {
        long sum = 0;
        for (int i = 0; i < a.length; i++) {
            int difference = (a[i] & 0xff) - (b[i] & 0xff);
            sum += (long) difference * difference;
        }
        return Math.sqrt((double) sum / a.length) / 127.5;
    }
}
