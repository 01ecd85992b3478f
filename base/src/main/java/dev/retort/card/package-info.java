/** What a file says of a model: its network, its process, how it is to be sampled and what else belongs to it; without tensors. */
package dev.retort.card;
