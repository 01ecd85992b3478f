/** Models on a hub: names, downloads into the cache that Python tools share, and the one place that uses the network. */
package dev.retort.hub;
