package dev.retort.evaluate;

/** What computes a network. */
public enum Engine {
    /** A model folder, by libtorch. */
    LIBTORCH("libtorch"),
    /** An exported file, by ONNX Runtime. */
    ONNX_RUNTIME("ONNX Runtime");

    private final String text;

    Engine(String text) {
        this.text = text;
    }

    /** Its name. */
    @Override
    public String toString() {
        return text;
    }
}
