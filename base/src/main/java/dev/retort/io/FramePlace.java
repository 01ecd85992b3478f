package dev.retort.io;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * Where the first picture of a GIF or animated WebP lies: it may be smaller than the canvas, which is what is seen.
 *
 * @param width columns of the canvas
 * @param height rows of the canvas
 * @param left first column of the picture
 * @param top first row of the picture
 */
record FramePlace(int width, int height, int left, int top) {
    /** The place in the file that a reader reads; formats without a canvas have the picture alone. */
    static FramePlace of(ImageReader reader, byte[] encoded) throws IOException {
        return reader.getFormatName().equalsIgnoreCase("gif")
                ? ofGif(reader)
                : WebpChunks.firstFrame(encoded).orElse(new FramePlace(0, 0, 0, 0));
    }

    private static FramePlace ofGif(ImageReader reader) throws IOException {
        NodeList screen =
                nodes(reader.getStreamMetadata().getAsTree("javax_imageio_gif_stream_1.0"), "LogicalScreenDescriptor");
        NodeList frame = nodes(reader.getImageMetadata(0).getAsTree("javax_imageio_gif_image_1.0"), "ImageDescriptor");
        return new FramePlace(
                number(screen, "logicalScreenWidth"),
                number(screen, "logicalScreenHeight"),
                number(frame, "imageLeftPosition"),
                number(frame, "imageTopPosition"));
    }

    private static NodeList nodes(Node tree, String name) {
        return ((IIOMetadataNode) tree).getElementsByTagName(name);
    }

    private static int number(NodeList nodes, String attribute) {
        return Integer.parseInt(((IIOMetadataNode) nodes.item(0)).getAttribute(attribute));
    }

    /** Pixels of the canvas, which grows where the picture reaches beyond it. */
    long pixels(int frameWidth, int frameHeight) {
        return (long) Math.max(width, left + frameWidth) * Math.max(height, top + frameHeight);
    }

    /** The canvas with the picture on it; what is left free has the transparent colour, else the first of the palette, else black. */
    BufferedImage canvas(BufferedImage frame) {
        int columns = Math.max(width, left + frame.getWidth());
        int rows = Math.max(height, top + frame.getHeight());
        if (columns == frame.getWidth() && rows == frame.getHeight()) {
            return frame;
        }
        WritableRaster raster = frame.getRaster().createCompatibleWritableRaster(columns, rows);
        if (frame.getColorModel() instanceof IndexColorModel palette) {
            int free = Math.max(0, palette.getTransparentPixel());
            int[] row = new int[columns];
            Arrays.fill(row, free);
            for (int y = 0; y < rows; y++) {
                raster.setSamples(0, y, columns, 1, 0, row);
            }
        }
        raster.setRect(left, top, frame.getRaster());
        return new BufferedImage(frame.getColorModel(), raster, frame.isAlphaPremultiplied(), null);
    }
}
