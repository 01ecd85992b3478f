/** Texts as the numbers that a text encoder reads: byte pairs, learned and applied, for programs that have the JDK alone. */
package dev.retort.text;
