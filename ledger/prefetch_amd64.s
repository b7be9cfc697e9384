#include "textflag.h"

// func prefetch(p *byte, n uintptr)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	MOVQ n+8(FP), BX
	PREFETCHT0 (AX)
	PREFETCHT0 (AX)(BX*1)
	SHRQ $1, BX
	PREFETCHT0 (AX)(BX*1)
	RET

// func prefetchAll(list []*byte, n uintptr)
TEXT ·prefetchAll(SB), NOSPLIT, $0-32
	MOVQ list_base+0(FP), SI
	MOVQ list_len+8(FP), CX
	MOVQ n+24(FP), BX
	MOVQ BX, DX
	SHRQ $1, DX
	CMPQ BX, $64
	JBE  testEnds
	JMP  test

next:
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	PREFETCHT0 (AX)(DX*1)
	PREFETCHT0 (AX)(BX*1)
	ADDQ $8, SI
	DECQ CX

test:
	TESTQ CX, CX
	JNE   next
	RET

ends: // no line lies between
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	PREFETCHT0 (AX)(BX*1)
	ADDQ $8, SI
	DECQ CX

testEnds:
	TESTQ CX, CX
	JNE   ends
	RET

// func prefetchLines(list []*byte)
TEXT ·prefetchLines(SB), NOSPLIT, $0-24
	MOVQ list_base+0(FP), SI
	MOVQ list_len+8(FP), CX
	JMP  test

next:
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	ADDQ $8, SI
	DECQ CX

test:
	TESTQ CX, CX
	JNE   next
	RET
