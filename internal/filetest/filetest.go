// Package filetest owns files that are too large to keep: it makes them for tests, quickly, row by row
// different and as a department would send them. It is imported by tests alone.
package filetest

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// digits stand for the number of a row.
const digits = "000000000000"

// perBlock is how many rows are made at once.
const perBlock = 4096

// Write makes a CSV file of the dataset court.debtor in GB18030 that is at least so large, and gives
// the number of its rows. A block of rows is made once and written over and over, each row with a
// number of its own, so that the disk is what takes the time.
func Write(file string, size int64) (rows int64, err error) {
	gb := simplifiedchinese.GB18030.NewEncoder()
	head, err := gb.String("uscc,entity_name,case_no,court,publish_date,performance\n")
	if err != nil {
		return 0, err
	}
	row, err := gb.String("91410481200000013J,舞钢市示例商贸有限公司𠮷,(2025)豫0481执" + digits + "号,\"河南省平顶山市舞钢市人民法院\",2025-09-01,全部未履行\n")
	if err != nil {
		return 0, err
	}
	out, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	block, at := []byte(strings.Repeat(row, perBlock)), strings.Index(row, digits)
	w := bufio.NewWriterSize(out, 1<<20)
	_, _ = w.WriteString(head) // an error stays with the writer
	for written := int64(len(head)); written < size; written += int64(len(block)) {
		for i := range perBlock {
			rows++
			number := fmt.Appendf(nil, "%012d", rows)
			copy(block[i*len(row)+at:], number)
		}
		_, _ = w.Write(block)
	}
	if err := w.Flush(); err != nil {
		_ = out.Close()
		return 0, err
	}
	return rows, out.Close()
}
