/** The only package that touches JavaCPP: start-up of the natives, scopes, devices, precision, ops, hooks, errors. */
package dev.retort.torch;
