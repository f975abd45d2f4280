// Package sheet reads and writes the workbooks (.xlsx) with which consoles of managed RocketMQ export
// and import topics and groups: those of 4.x and 5.x, with English or Chinese headers. A workbook is
// bounded before it is unpacked; what can't be read ends in an error with sheet, row and column.
package sheet
