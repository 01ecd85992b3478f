/** Distillation: recipes as lists of stages, and what is made of them. A method is a loss, never a program. */
package dev.retort.distill;
