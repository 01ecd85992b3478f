/** The one exception users meet, the exit code of each kind, and how its sentences list things. */
package dev.retort.error;
