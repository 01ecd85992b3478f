/** Tokenizers: texts as the numbers that a text encoder reads, and the files that other programs keep these in. */
package dev.retort.text;
