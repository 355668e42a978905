// Package modeltest holds what the tests of both models share. Only tests import it.
package modeltest
