package dev.retort.diffusion.step;

/** A number with its derivatives by a few variables, exact: forward mode, for losses of networks in closed form. */
final class Dual {
    final double value;
    final double[] slope;

    private Dual(double value, double[] slope) {
        this.value = value;
        this.slope = slope;
    }

    /** A number that depends on nothing. */
    static Dual of(double value) {
        return new Dual(value, new double[0]);
    }

    /** A number with the given derivatives. */
    static Dual of(double value, double... slope) {
        return new Dual(value, slope.clone());
    }

    /** The variables themselves. */
    static Dual[] variables(double... values) {
        Dual[] variables = new Dual[values.length];
        for (int i = 0; i < values.length; i++) {
            double[] slope = new double[values.length];
            slope[i] = 1;
            variables[i] = new Dual(values[i], slope);
        }
        return variables;
    }

    /** Numbers that depend on nothing. */
    static Dual[] constants(double... values) {
        Dual[] constants = new Dual[values.length];
        for (int i = 0; i < values.length; i++) {
            constants[i] = of(values[i]);
        }
        return constants;
    }

    Dual plus(Dual other) {
        return both(value + other.value, 1, other, 1);
    }

    Dual minus(Dual other) {
        return both(value - other.value, 1, other, -1);
    }

    Dual times(Dual other) {
        return both(value * other.value, other.value, other, value);
    }

    Dual over(Dual other) {
        return both(value / other.value, 1 / other.value, other, -value / other.value / other.value);
    }

    Dual plus(double other) {
        return map(value + other, 1);
    }

    Dual times(double other) {
        return map(value * other, other);
    }

    Dual squared() {
        return times(this);
    }

    Dual abs() {
        return map(Math.abs(value), Math.signum(value));
    }

    Dual sin() {
        return map(Math.sin(value), Math.cos(value));
    }

    Dual cos() {
        return map(Math.cos(value), -Math.sin(value));
    }

    Dual tan() {
        double tan = Math.tan(value);
        return map(tan, 1 + tan * tan);
    }

    Dual tanh() {
        double tanh = Math.tanh(value);
        return map(tanh, 1 - tanh * tanh);
    }

    Dual sqrt() {
        return map(Math.sqrt(value), 0.5 / Math.sqrt(value));
    }

    /** A function of this, known by its value and derivative here. */
    Dual map(double result, double derivative) {
        double[] by = new double[slope.length];
        for (int i = 0; i < by.length; i++) {
            by[i] = derivative * slope[i];
        }
        return new Dual(result, by);
    }

    private Dual both(double result, double bySelf, Dual other, double byOther) {
        double[] by = new double[Math.max(slope.length, other.slope.length)];
        for (int i = 0; i < slope.length; i++) {
            by[i] += bySelf * slope[i];
        }
        for (int i = 0; i < other.slope.length; i++) {
            by[i] += byOther * other.slope[i];
        }
        return new Dual(result, by);
    }

    /** The mean of some. */
    static Dual mean(Dual... of) {
        return sum(of).times(1.0 / of.length);
    }

    /** The sum of some. */
    static Dual sum(Dual... of) {
        Dual sum = of(0);
        for (Dual each : of) {
            sum = sum.plus(each);
        }
        return sum;
    }

    /** The values alone. */
    static double[] values(Dual... of) {
        double[] values = new double[of.length];
        for (int i = 0; i < of.length; i++) {
            values[i] = of[i].value;
        }
        return values;
    }
}
