/** What a student may be asked to match of its teacher. */
package dev.retort.distill.loss;
