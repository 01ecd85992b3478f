/** The {@code retort} command: options, progress, sentences on the terminal and exit codes; no logic of its own. */
package dev.retort.cli;
