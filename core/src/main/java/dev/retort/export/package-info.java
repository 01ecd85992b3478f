/** Models as files for other programs: recorded, written, then opened and compared with the network they came from. */
package dev.retort.export;
