package supabasetest

import "strings"

// parseLogic reads and=(…), or=(…), not.and=(…) and not.or=(…).
func parseLogic(key, text string) (condition, error) {
	p := &parser{text: key + text, tree: true}
	g := p.group()
	if g == nil {
		return nil, p.unreadable()
	}
	if err := p.members(g); err != nil {
		return nil, err
	}
	if p.at < len(p.text) {
		return nil, p.unreadable()
	}
	return g, nil
}

// group reads the head of a group, up to its parenthesis, or nothing.
func (p *parser) group() *group {
	start := p.at
	g := &group{negated: p.accept("not.")}
	g.any = p.accept("or")
	if (g.any || p.accept("and")) && p.parenthesis("(") {
		return g
	}
	p.at = start
	return nil
}

func (p *parser) members(g *group) error {
	for {
		member, err := p.member()
		if err != nil {
			return err
		}
		g.members = append(g.members, member)
		if p.parenthesis(")") {
			return nil
		}
		if !p.parenthesis(",") {
			return p.unreadable()
		}
	}
}

func (p *parser) member() (condition, error) {
	if g := p.group(); g != nil {
		return g, p.members(g)
	}
	p.spaces()
	name := p.rest()
	if end := strings.IndexByte(name, '.'); end >= 0 {
		name = name[:end]
	}
	p.at += len(name)
	if name = strings.Trim(name, " \t"); !isName(name) || !p.accept(".") {
		return nil, p.unreadable()
	}
	return p.operation(name)
}
