/** Looks at the machine and says what Retort can use of it, with one fix for each thing that is wrong. */
package dev.retort.cli.doctor;
