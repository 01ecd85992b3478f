/** Measures how fast the parts of the demo are on this machine, and chooses how long each of them shall be. */
package dev.retort.cli.demo;
