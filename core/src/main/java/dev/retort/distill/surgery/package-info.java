/** How a student's first weights are cut from its teacher. */
package dev.retort.distill.surgery;
