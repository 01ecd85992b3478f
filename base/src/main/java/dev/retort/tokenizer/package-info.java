/** Tokenizers from and into the files that other programs keep them in. */
package dev.retort.tokenizer;
