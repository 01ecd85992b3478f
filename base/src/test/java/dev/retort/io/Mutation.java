package dev.retort.io;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Damages a file the ways disks and people do: flipped bytes, other digits, a cut, a repeated or a lost stretch. */
final class Mutation {
    private Mutation() {}

    static byte[] of(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole.clone();
        int rounds = 1 + random.nextInt(3);
        for (int i = 0; i < rounds; i++) {
            int at = random.nextInt(Math.max(1, bytes.length));
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes = Arrays.copyOf(bytes, at + 1);
                case 2 -> bytes = without(bytes, at, Math.min(bytes.length - 1, at + 1 + random.nextInt(4)));
                case 3 -> bytes = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(9));
                default -> digit(bytes, at, random);
            }
        }
        return bytes;
    }

    private static byte[] without(byte[] bytes, int from, int to) {
        byte[] kept = new byte[bytes.length - Math.max(0, to - from)];
        System.arraycopy(bytes, 0, kept, 0, from);
        System.arraycopy(bytes, Math.max(from, to), kept, from, kept.length - from);
        return kept;
    }

    private static void digit(byte[] bytes, int from, SplittableRandom random) {
        for (int i = from; i < bytes.length; i++) {
            if (bytes[i] >= '0' && bytes[i] <= '9') {
                bytes[i] = (byte) "0123456789-.".charAt(random.nextInt(12));
                return;
            }
        }
    }
}
