/** Network contracts, and one package per architecture below this one. */
package dev.retort.model;
