#include "textflag.h"

// func prefetch(p *byte, n uintptr)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R1, R0, R2
	ADD  R1>>1, R0, R3
	PRFM (R0), PLDL1KEEP
	PRFM (R2), PLDL1KEEP
	PRFM (R3), PLDL1KEEP
	RET

// func prefetchAll(list []*byte, n uintptr)
TEXT ·prefetchAll(SB), NOSPLIT, $0-32
	MOVD list_base+0(FP), R4
	MOVD list_len+8(FP), R5
	MOVD n+24(FP), R1
	CBZ  R5, done
	CMP  $64, R1
	BLS  ends

next:
	MOVD.P 8(R4), R0
	ADD    R1, R0, R2
	ADD    R1>>1, R0, R3
	PRFM   (R0), PLDL1KEEP
	PRFM   (R2), PLDL1KEEP
	PRFM   (R3), PLDL1KEEP
	SUB    $1, R5
	CBNZ   R5, next
	RET

ends: // no line lies between
	MOVD.P 8(R4), R0
	ADD    R1, R0, R2
	PRFM   (R0), PLDL1KEEP
	PRFM   (R2), PLDL1KEEP
	SUB    $1, R5
	CBNZ   R5, ends

done:
	RET

// func prefetchLines(list []*byte)
TEXT ·prefetchLines(SB), NOSPLIT, $0-24
	MOVD list_base+0(FP), R4
	MOVD list_len+8(FP), R5
	CBZ  R5, done

next:
	MOVD.P 8(R4), R0
	PRFM   (R0), PLDL1KEEP
	SUB    $1, R5
	CBNZ   R5, next

done:
	RET
