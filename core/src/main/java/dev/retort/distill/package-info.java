/** Distillation: teachers, recipes as lists of stages, layer maps. A method is a loss, never a program. */
package dev.retort.distill;
