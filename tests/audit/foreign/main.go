// A verifier of one log of a bundle, on the packages by which the Go project verifies its own checksum database.
//
//	foreign DIR KEY [WITNESS_KEY]
//
// It opens the newest checkpoint and every earlier one, reads each event, proves each to be in the tree and each earlier
// tree to be its beginning, and prints "verified SIZE".
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height, width = 8, 256

type tiles struct {
	dir  string
	size int64
}

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		hashes, err := os.ReadFile(filepath.Join(t.dir, path(strconv.Itoa(tile.L), tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		found = append(found, hashes)
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func path(level string, n int64, w int) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if w < width {
		name += fmt.Sprintf(".p/%d", w)
	}
	return "tile/" + level + "/" + name
}

func open(file string, verifiers note.Verifiers) (*note.Note, tlog.Tree, error) {
	var tree tlog.Tree
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, tree, err
	}
	opened, err := note.Open(raw, verifiers)
	if err != nil {
		return nil, tree, fmt.Errorf("%s: %w", file, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != opened.Sigs[0].Name {
		return nil, tree, fmt.Errorf("%s: not a checkpoint of %s", file, opened.Sigs[0].Name)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return nil, tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return opened, tree, err
}

func entries(dir string, size int64, take func(first int64, entries [][]byte) error) error {
	for first := int64(0); first < size; first += width {
		bundle, err := os.ReadFile(filepath.Join(dir, path("entries", first/width, int(min(width, size-first)))))
		if err != nil {
			return err
		}
		var found [][]byte
		for len(bundle) > 0 {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return fmt.Errorf("position %d: the entry is not whole", first+int64(len(found)))
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			found, bundle = append(found, bundle[2:end]), bundle[end:]
		}
		if int64(len(found)) != min(width, size-first) {
			return fmt.Errorf("position %d: %d entries, not %d", first, len(found), min(width, size-first))
		}
		if err := take(first, found); err != nil {
			return err
		}
	}
	return nil
}

func verify(dir, key, witness string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	known := []note.Verifier{verifier}
	if witness != "" {
		vouching, err := cosignature.NewVerifierForCosignatureV1(witness)
		if err != nil {
			return err
		}
		known = append(known, vouching)
	}
	opened, tree, err := open(filepath.Join(dir, "checkpoint"), note.VerifierList(known...))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != len(known) {
		return fmt.Errorf("%d of %d keys sign the checkpoint", len(opened.Sigs), len(known))
	}
	if tree.N > 0 {
		reader := tlog.TileHashReader(tree, tiles{dir, tree.N})
		err = entries(dir, tree.N, func(first int64, found [][]byte) error {
			var indexes []int64
			for n := range found {
				indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(n)))
			}
			hashes, err := reader.ReadHashes(indexes)
			if err != nil {
				return err
			}
			for n, entry := range found {
				if hashes[n] != tlog.RecordHash(entry) {
					return fmt.Errorf("position %d: the entry is not the one that was hashed", first+int64(n))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, position := range []int64{0, tree.N / 2, tree.N - 1} {
			proof, err := tlog.ProveRecord(tree.N, position, reader)
			if err != nil {
				return err
			}
			hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, position)})
			if err != nil {
				return err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, position, hashes[0]); err != nil {
				return err
			}
		}
	}
	earlier, err := os.ReadDir(filepath.Join(dir, "checkpoints"))
	if err != nil {
		return err
	}
	for _, file := range earlier {
		_, old, err := open(filepath.Join(dir, "checkpoints", file.Name()), note.VerifierList(verifier))
		if err != nil {
			return err
		}
		if old.N == 0 || tree.N == 0 {
			continue
		}
		proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, tiles{dir, tree.N}))
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return fmt.Errorf("checkpoint of size %d: %w", old.N, err)
		}
	}
	fmt.Printf("verified %d\n", tree.N)
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: foreign DIR KEY [WITNESS_KEY]")
		os.Exit(2)
	}
	witness := ""
	if len(os.Args) > 3 {
		witness = os.Args[3]
	}
	if err := verify(os.Args[1], os.Args[2], witness); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
