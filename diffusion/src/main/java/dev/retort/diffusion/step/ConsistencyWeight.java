package dev.retort.diffusion.step;

import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.TimeGrid;

/** How much the distance between a consistency function at t and at an earlier r counts. The gap t - r is that of sigma, whatever number the network is told. */
public enum ConsistencyWeight {
    /** 1 (Song et al. 2023). */
    ONE {
        @Override
        public double at(TimeGrid.Point t, TimeGrid.Point r) {
            return 1;
        }
    },
    /** 1 / (t - r) (Song and Dhariwal 2023; Geng et al. 2024). */
    INVERSE_GAP {
        @Override
        public double at(TimeGrid.Point t, TimeGrid.Point r) {
            return 1 / (t.sigma() - r.sigma());
        }
    },
    /** (t - r)^-1/2. */
    INVERSE_ROOT_GAP {
        @Override
        public double at(TimeGrid.Point t, TimeGrid.Point r) {
            return 1 / Math.sqrt(t.sigma() - r.sigma());
        }
    },
    /** 1 / sigma^2 at t. */
    INVERSE_VARIANCE {
        @Override
        public double at(TimeGrid.Point t, TimeGrid.Point r) {
            return 1 / (t.sigma() * t.sigma());
        }
    },
    /** 1 / c_out at the sigma / alpha of t, c_out being that of {@link BoundaryScaling#edm} with sigma_data 0.5. */
    INVERSE_OUT {
        @Override
        public double at(TimeGrid.Point t, TimeGrid.Point r) {
            return 1 / BoundaryScaling.edm(t.noiseRatio(), 0.5).out();
        }
    };

    /** The factor before the distance. */
    public abstract double at(TimeGrid.Point t, TimeGrid.Point r);
}
