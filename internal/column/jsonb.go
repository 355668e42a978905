package column

import "strconv"

// escapesAreText says that no \u escape in JSON stands for what PostgreSQL does
// not take as text: NUL, half a surrogate pair, or \ufffd, as which encoding/json
// writes bytes that were not UTF-8. (It writes a U+FFFD that was there as it is.)
func escapesAreText(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++ // what is escaped
		unit, ok := escaped(data, i)
		if !ok {
			continue
		}
		i += 4
		switch {
		case unit == 0, unit == 0xfffd, 0xdc00 <= unit && unit <= 0xdfff:
			return false
		case 0xd800 <= unit && unit <= 0xdbff:
			low, ok := escaped(data, i+2)
			if !ok || data[i+1] != '\\' || low < 0xdc00 || low > 0xdfff {
				return false
			}
			i += 6
		}
	}
	return true
}

// escaped reads the code unit of uXXXX at i.
func escaped(data []byte, i int) (uint64, bool) {
	if i+4 >= len(data) || data[i] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[i+1:i+5]), 16, 32)
	return unit, err == nil
}
