
/work/tmp/attn5/pc/LE/JPANFCCCBBADGNBNIJALLGPFJOGPPLFCJCFEE/attention_one_block/1-1-1-goffs0-smallgrid/attention_one_block.so:     file format elf64-x86-64


Disassembly of section .text:

0000000000001000 <_pocl_kernel_attention_one_block>:
    1000:	push   rbp
    1001:	mov    rbp,rsp
    1004:	push   r15
    1006:	push   r14
    1008:	push   r13
    100a:	push   r12
    100c:	push   rbx
    100d:	and    rsp,0xffffffffffffffc0
    1011:	sub    rsp,0x1980
    1018:	mov    r13,r8
    101b:	mov    r10,rdx
    101e:	mov    DWORD PTR [rsp+0x20],esi
    1022:	movsxd r14,DWORD PTR [rbp+0x30]
    1026:	movsxd r8,DWORD PTR [rbp+0x40]
    102a:	mov    ebx,DWORD PTR [rbp+0x60]
    102d:	mov    r15,QWORD PTR [rbp+0x58]
    1031:	lea    eax,[r15+0x1]
    1035:	cdq
    1036:	idiv   r14d
    1039:	shl    ebx,0x4
    103c:	lea    r12d,[rbx+rbx*2]
    1040:	test   edx,edx
    1042:	lea    esi,[rbx+rbx*2+0x30]
    1046:	cmovne esi,r12d
    104a:	movsxd r11,r15d
    104d:	movsxd rax,ecx
    1050:	shl    r15,0x23
    1054:	lea    rcx,[r15+r15*4]
    1058:	sar    rcx,0x20
    105c:	mov    QWORD PTR [rsp+0xa0],r10
    1064:	lea    rbx,[r10+rax*4]
    1068:	add    rax,r8
    106b:	add    rax,rcx
    106e:	mov    QWORD PTR [rsp+0xb8],rax
    1076:	movsxd rcx,edx
    1079:	lea    rdx,[rbx+r8*4]
    107d:	lea    ebx,[rcx*8+0x0]
    1084:	lea    ebx,[rbx+rbx*4]
    1087:	movsxd rbx,ebx
    108a:	lea    rax,[rdx+rbx*4]
    108e:	mov    QWORD PTR [rsp+0xb0],rax
    1096:	mov    r15,QWORD PTR [rbp+0x68]
    109a:	vpbroadcastd xmm1,esi
    10a0:	vmovdqa XMMWORD PTR [rsp+0x110],xmm1
    10a9:	mov    eax,r15d
    10ac:	cdq
    10ad:	idiv   DWORD PTR [rbp+0x48]
    10b0:	vpbroadcastq ymm1,rcx
    10b6:	vmovdqa YMMWORD PTR [rsp+0x1a0],ymm1
    10bf:	movsxd rcx,DWORD PTR [rbp+0x18]
    10c3:	movsxd rax,edx
    10c6:	imul   rax,r14
    10ca:	mov    QWORD PTR [rsp+0x70],r11
    10cf:	add    rax,r11
    10d2:	movsxd rdx,r9d
    10d5:	shl    rcx,0x2
    10d9:	add    rcx,QWORD PTR [rbp+0x10]
    10dd:	imul   rax,rax,0x3200
    10e4:	add    rcx,rax
    10e7:	lea    rax,[rax+rdx*4]
    10eb:	mov    esi,DWORD PTR [rbp+0x28]
    10ee:	add    rax,r13
    10f1:	add    rax,0x4f8
    10f7:	mov    QWORD PTR [rsp+0xa8],rax
    10ff:	mov    eax,DWORD PTR [rbp+0x20]
    1102:	vpbroadcastd zmm1,esi
    1108:	movsxd rdx,r15d
    110b:	movsxd r11,eax
    110e:	imul   rdx,r11
    1112:	movsxd r13,DWORD PTR [rsp+0x20]
    1117:	vmulss xmm0,xmm0,DWORD PTR [rip+0x4ee1]        # 6000 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb0>
    111f:	vbroadcastss zmm0,xmm0
    1125:	vmovaps ZMMWORD PTR [rsp+0x4c0],zmm0
    112d:	mov    eax,esi
    112f:	sar    eax,0x1e
    1132:	movsxd r9,eax
    1135:	lea    eax,[r11-0x1]
    1139:	mov    DWORD PTR [rsp+0x30],eax
    113d:	vpbroadcastd xmm0,eax
    1143:	vmovdqa XMMWORD PTR [rsp+0x100],xmm0
    114c:	mov    rax,rdx
    114f:	mov    QWORD PTR [rsp+0x38],rdx
    1154:	vpbroadcastq ymm0,rdx
    115a:	vmovdqa YMMWORD PTR [rsp+0x180],ymm0
    1163:	mov    r10,r14
    1166:	vpbroadcastq ymm0,r14
    116c:	vmovdqa YMMWORD PTR [rsp+0x160],ymm0
    1175:	movsxd rax,DWORD PTR [rbp+0x38]
    1179:	mov    QWORD PTR [rsp+0x98],rax
    1181:	vpbroadcastq ymm0,rax
    1187:	vmovdqa YMMWORD PTR [rsp+0x140],ymm0
    1190:	mov    rax,rsi
    1193:	shl    rax,0x3
    1197:	vbroadcastsd ymm0,QWORD PTR [rip+0x4e98]        # 6038 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce8>
    11a0:	vmovaps YMMWORD PTR [rsp+0x120],ymm0
    11a9:	vpcmpgtd k1,zmm1,ZMMWORD PTR [rip+0x4e8d]        # 6040 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cf0>
    11b3:	lea    rax,[rax+rax*4]
    11b7:	mov    QWORD PTR [rsp+0x88],rax
    11bf:	lea    rax,[rdi+r13*4]
    11c3:	mov    QWORD PTR [rsp+0x90],rax
    11cb:	mov    QWORD PTR [rsp+0x28],r12
    11d0:	movsxd rax,r12d
    11d3:	mov    QWORD PTR [rsp+0x80],rax
    11db:	xor    edx,edx
    11dd:	mov    QWORD PTR [rsp+0x78],r14
    11e2:	mov    QWORD PTR [rsp+0x68],r11
    11e7:	mov    QWORD PTR [rsp+0x60],r13
    11ec:	mov    QWORD PTR [rsp+0x58],rdi
    11f1:	mov    QWORD PTR [rsp+0x50],rcx
    11f6:	vbroadcastss zmm29,DWORD PTR [rip+0x4e10]        # 6010 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc0>
    1200:	vbroadcastss zmm30,DWORD PTR [rip+0x4e0a]        # 6014 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc4>
    120a:	vbroadcastss zmm31,DWORD PTR [rip+0x4e08]        # 601c <_pocl_kernel_attention_one_block_workgroup_fast+0x1ccc>
    1214:	jmp    1236 <_pocl_kernel_attention_one_block+0x236>
    1216:	cs nop WORD PTR [rax+rax*1+0x0]
    1220:	mov    rdx,QWORD PTR [rsp+0x40]
    1225:	lea    rax,[rdx+0x10]
    1229:	cmp    rdx,0x20
    122d:	mov    rdx,rax
    1230:	jae    2974 <_pocl_kernel_attention_one_block+0x1974>
    1236:	mov    rax,QWORD PTR [rsp+0x80]
    123e:	add    rax,rdx
    1241:	mov    QWORD PTR [rsp+0x48],rax
    1246:	cmp    rax,r11
    1249:	jge    2974 <_pocl_kernel_attention_one_block+0x1974>
    124f:	mov    rax,QWORD PTR [rsp+0x28]
    1254:	mov    QWORD PTR [rsp+0x40],rdx
    1259:	add    eax,edx
    125b:	mov    DWORD PTR [rsp+0x34],eax
    125f:	xor    ecx,ecx
    1261:	data16 data16 data16 data16 data16 cs nop WORD PTR [rax+rax*1+0x0]
    1270:	mov    rax,QWORD PTR [rsp+0x40]
    1275:	mov    QWORD PTR [rsp+0x20],rcx
    127a:	lea    esi,[rcx+rax*1]
    127d:	mov    rax,QWORD PTR [rsp+0x28]
    1282:	lea    ecx,[rax+rsi*1]
    1285:	mov    r14d,DWORD PTR [rsp+0x30]
    128a:	cmp    ecx,r14d
    128d:	cmovge ecx,r14d
    1291:	movsxd rbx,ecx
    1294:	mov    r10,QWORD PTR [rsp+0x38]
    1299:	add    rbx,r10
    129c:	mov    rdi,QWORD PTR [rsp+0x98]
    12a4:	imul   rbx,rdi
    12a8:	mov    r11,QWORD PTR [rsp+0xb8]
    12b0:	add    rbx,r11
    12b3:	mov    r8d,esi
    12b6:	or     r8d,0x1
    12ba:	lea    edx,[r8+rax*1]
    12be:	cmp    edx,r14d
    12c1:	cmovge edx,r14d
    12c5:	movsxd rdx,edx
    12c8:	add    rdx,r10
    12cb:	imul   rdx,rdi
    12cf:	add    rdx,r11
    12d2:	mov    ecx,esi
    12d4:	or     ecx,0x2
    12d7:	lea    r15d,[rcx+rax*1]
    12db:	cmp    r15d,r14d
    12de:	cmovge r15d,r14d
    12e2:	vmovd  xmm1,esi
    12e6:	vpinsrd xmm1,xmm1,r8d,0x1
    12ec:	or     esi,0x3
    12ef:	vpinsrd xmm1,xmm1,ecx,0x2
    12f5:	vpinsrd xmm1,xmm1,esi,0x3
    12fb:	vpaddd xmm1,xmm1,XMMWORD PTR [rsp+0x110]
    1304:	vpminsd xmm1,xmm1,XMMWORD PTR [rsp+0x100]
    130e:	vpmovsxdq ymm1,xmm1
    1313:	vpaddq ymm1,ymm1,YMMWORD PTR [rsp+0x180]
    131c:	vpmullq ymm2,ymm1,YMMWORD PTR [rsp+0x160]
    1324:	vpaddq ymm2,ymm2,YMMWORD PTR [rsp+0x1a0]
    132d:	vpmullq ymm2,ymm2,YMMWORD PTR [rsp+0x120]
    1335:	vmovq  rax,xmm2
    133a:	mov    r8,QWORD PTR [rsp+0x90]
    1342:	prefetchw BYTE PTR [r8+rax*4]
    1347:	vpmullq ymm1,ymm1,YMMWORD PTR [rsp+0x140]
    134f:	vmovq  rcx,xmm1
    1354:	mov    r12,QWORD PTR [rsp+0xb0]
    135c:	prefetcht0 BYTE PTR [r12+rcx*4]
    1361:	prefetchw BYTE PTR [r8+rax*4+0x40]
    1367:	prefetcht0 BYTE PTR [r12+rcx*4+0x40]
    136d:	prefetchw BYTE PTR [r8+rax*4+0x80]
    1376:	prefetcht0 BYTE PTR [r12+rcx*4+0x80]
    137f:	vpextrq rax,xmm2,0x1
    1385:	mov    r13,QWORD PTR [rsp+0xa0]
    138d:	vmovaps zmm0,ZMMWORD PTR [rsp+0x4c0]
    1395:	vmulps zmm3,zmm0,ZMMWORD PTR [r13+rbx*4+0x0]
    139d:	vmovaps ZMMWORD PTR [rsp+0x1c0],zmm3
    13a5:	vmulps zmm3,zmm0,ZMMWORD PTR [r13+rbx*4+0x40]
    13ad:	vmovaps ZMMWORD PTR [rsp+0x200],zmm3
    13b5:	vmovups xmm3,XMMWORD PTR [r13+rbx*4+0x80]
    13bf:	vinsertf32x4 zmm3,zmm3,XMMWORD PTR [r13+rbx*4+0x90],0x1
    13c8:	vmovaps ymm3,ymm3
    13cc:	vmulps zmm3,zmm0,zmm3
    13d2:	vmovaps ZMMWORD PTR [rsp+0x240],zmm3
    13da:	vpextrq rcx,xmm1,0x1
    13e0:	prefetchw BYTE PTR [r8+rax*4]
    13e5:	prefetcht0 BYTE PTR [r12+rcx*4]
    13ea:	prefetchw BYTE PTR [r8+rax*4+0x40]
    13f0:	prefetcht0 BYTE PTR [r12+rcx*4+0x40]
    13f6:	prefetchw BYTE PTR [r8+rax*4+0x80]
    13ff:	vextracti128 xmm2,ymm2,0x1
    1405:	prefetcht0 BYTE PTR [r12+rcx*4+0x80]
    140e:	vmovq  rax,xmm2
    1413:	vmulps zmm3,zmm0,ZMMWORD PTR [r13+rdx*4+0x0]
    141b:	vmovaps ZMMWORD PTR [rsp+0x280],zmm3
    1423:	vmulps zmm3,zmm0,ZMMWORD PTR [r13+rdx*4+0x40]
    142b:	vmovaps ZMMWORD PTR [rsp+0x2c0],zmm3
    1433:	vmovups xmm3,XMMWORD PTR [r13+rdx*4+0x80]
    143d:	vinsertf32x4 zmm3,zmm3,XMMWORD PTR [r13+rdx*4+0x90],0x1
    1446:	vmovaps ymm3,ymm3
    144a:	vmulps zmm3,zmm0,zmm3
    1450:	vmovaps ZMMWORD PTR [rsp+0x300],zmm3
    1458:	vextracti128 xmm1,ymm1,0x1
    145e:	vmovq  rcx,xmm1
    1463:	prefetchw BYTE PTR [r8+rax*4]
    1468:	prefetcht0 BYTE PTR [r12+rcx*4]
    146d:	prefetchw BYTE PTR [r8+rax*4+0x40]
    1473:	prefetcht0 BYTE PTR [r12+rcx*4+0x40]
    1479:	prefetchw BYTE PTR [r8+rax*4+0x80]
    1482:	movsxd rax,r15d
    1485:	add    rax,r10
    1488:	imul   rax,rdi
    148c:	add    rax,r11
    148f:	prefetcht0 BYTE PTR [r12+rcx*4+0x80]
    1498:	vpextrq rcx,xmm2,0x1
    149e:	vmulps zmm2,zmm0,ZMMWORD PTR [r13+rax*4+0x0]
    14a6:	vmovaps ZMMWORD PTR [rsp+0x340],zmm2
    14ae:	vmulps zmm2,zmm0,ZMMWORD PTR [r13+rax*4+0x40]
    14b6:	vmovaps ZMMWORD PTR [rsp+0x380],zmm2
    14be:	vmovups xmm2,XMMWORD PTR [r13+rax*4+0x80]
    14c8:	vinsertf32x4 zmm2,zmm2,XMMWORD PTR [r13+rax*4+0x90],0x1
    14d1:	vmovaps ymm2,ymm2
    14d5:	vmulps zmm2,zmm0,zmm2
    14db:	vmovaps ZMMWORD PTR [rsp+0x3c0],zmm2
    14e3:	vpextrq rax,xmm1,0x1
    14e9:	prefetchw BYTE PTR [r8+rcx*4]
    14ee:	prefetcht0 BYTE PTR [r12+rax*4]
    14f3:	prefetchw BYTE PTR [r8+rcx*4+0x40]
    14f9:	prefetcht0 BYTE PTR [r12+rax*4+0x40]
    14ff:	prefetchw BYTE PTR [r8+rcx*4+0x80]
    1508:	mov    rcx,QWORD PTR [rsp+0x28]
    150d:	add    ecx,esi
    150f:	cmp    ecx,r14d
    1512:	cmovge ecx,r14d
    1516:	movsxd rcx,ecx
    1519:	prefetcht0 BYTE PTR [r12+rax*4+0x80]
    1522:	add    rcx,r10
    1525:	imul   rcx,rdi
    1529:	add    rcx,r11
    152c:	vmulps zmm1,zmm0,ZMMWORD PTR [r13+rcx*4+0x0]
    1534:	vmovaps ZMMWORD PTR [rsp+0x400],zmm1
    153c:	vmulps zmm1,zmm0,ZMMWORD PTR [r13+rcx*4+0x40]
    1544:	vmovaps ZMMWORD PTR [rsp+0x440],zmm1
    154c:	vmovups xmm1,XMMWORD PTR [r13+rcx*4+0x80]
    1556:	vinsertf32x4 zmm1,zmm1,XMMWORD PTR [r13+rcx*4+0x90],0x1
    155f:	vmovaps ymm1,ymm1
    1563:	vmulps zmm1,zmm0,zmm1
    1569:	vmovaps ZMMWORD PTR [rsp+0x480],zmm1
    1571:	vxorps xmm3,xmm3,xmm3
    1575:	mov    rcx,0xffffffffffffff60
    157c:	mov    rsi,QWORD PTR [rsp+0xa8]
    1584:	vxorps xmm12,xmm12,xmm12
    1589:	vxorps xmm13,xmm13,xmm13
    158e:	vxorps xmm14,xmm14,xmm14
    1593:	vxorps xmm15,xmm15,xmm15
    1598:	vxorps xmm1,xmm1,xmm1
    159c:	vxorps xmm16,xmm16,xmm16
    15a2:	vxorps xmm17,xmm17,xmm17
    15a8:	vxorps xmm18,xmm18,xmm18
    15ae:	vxorps xmm19,xmm19,xmm19
    15b4:	vxorps xmm9,xmm9,xmm9
    15b9:	vxorps xmm20,xmm20,xmm20
    15bf:	vxorps xmm21,xmm21,xmm21
    15c5:	vxorps xmm23,xmm23,xmm23
    15cb:	vxorps xmm25,xmm25,xmm25
    15d1:	vxorps xmm24,xmm24,xmm24
    15d7:	vxorps xmm10,xmm10,xmm10
    15dc:	vxorps xmm11,xmm11,xmm11
    15e1:	vxorps xmm2,xmm2,xmm2
    15e5:	vxorps xmm8,xmm8,xmm8
    15ea:	nop    WORD PTR [rax+rax*1+0x0]
    15f0:	vmovups zmm4,ZMMWORD PTR [rsi-0x4f8]
    15fa:	vmovups zmm5,ZMMWORD PTR [rsi-0x4b8]
    1604:	vmovups zmm6,ZMMWORD PTR [rsi-0x478]
    160e:	vmovups zmm22,ZMMWORD PTR [rsi-0x438]
    1618:	vmovups zmm26,ZMMWORD PTR [rsi-0x3f8]
    1622:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x260]
    162d:	vfmadd231ps zmm8,zmm27,zmm4
    1633:	vfmadd231ps zmm2,zmm27,zmm5
    1639:	vfmadd231ps zmm11,zmm27,zmm6
    163f:	vfmadd231ps zmm10,zmm27,zmm22
    1645:	vfmadd231ps zmm24,zmm26,zmm27
    164b:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x320]
    1656:	vfmadd231ps zmm25,zmm27,zmm4
    165c:	vfmadd231ps zmm23,zmm27,zmm5
    1662:	vfmadd231ps zmm21,zmm27,zmm6
    1668:	vfmadd231ps zmm20,zmm27,zmm22
    166e:	vfmadd231ps zmm9,zmm26,zmm27
    1674:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x3e0]
    167f:	vfmadd231ps zmm19,zmm27,zmm4
    1685:	vfmadd231ps zmm18,zmm27,zmm5
    168b:	vfmadd231ps zmm17,zmm27,zmm6
    1691:	vfmadd231ps zmm16,zmm27,zmm22
    1697:	vfmadd231ps zmm1,zmm26,zmm27
    169d:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x4a0]
    16a8:	vfmadd231ps zmm15,zmm27,zmm4
    16ae:	vfmadd231ps zmm14,zmm27,zmm5
    16b4:	vfmadd231ps zmm13,zmm27,zmm6
    16ba:	vfmadd231ps zmm12,zmm27,zmm22
    16c0:	vfmadd231ps zmm3,zmm27,zmm26
    16c6:	vmovups zmm4,ZMMWORD PTR [rsi-0x3b8]
    16d0:	vmovups zmm5,ZMMWORD PTR [rsi-0x378]
    16da:	vmovups zmm6,ZMMWORD PTR [rsi-0x338]
    16e4:	vmovups zmm22,ZMMWORD PTR [rsi-0x2f8]
    16ee:	vmovups zmm26,ZMMWORD PTR [rsi-0x2b8]
    16f8:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x264]
    1703:	vfmadd231ps zmm8,zmm27,zmm4
    1709:	vfmadd231ps zmm2,zmm27,zmm5
    170f:	vfmadd231ps zmm11,zmm27,zmm6
    1715:	vfmadd231ps zmm10,zmm27,zmm22
    171b:	vfmadd231ps zmm24,zmm26,zmm27
    1721:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x324]
    172c:	vfmadd231ps zmm25,zmm27,zmm4
    1732:	vfmadd231ps zmm23,zmm27,zmm5
    1738:	vfmadd231ps zmm21,zmm27,zmm6
    173e:	vfmadd231ps zmm20,zmm27,zmm22
    1744:	vfmadd231ps zmm9,zmm26,zmm27
    174a:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x3e4]
    1755:	vfmadd231ps zmm19,zmm27,zmm4
    175b:	vfmadd231ps zmm18,zmm27,zmm5
    1761:	vfmadd231ps zmm17,zmm27,zmm6
    1767:	vfmadd231ps zmm16,zmm27,zmm22
    176d:	vbroadcastss zmm28,DWORD PTR [rsp+rcx*1+0x4a4]
    1778:	vfmadd231ps zmm1,zmm26,zmm27
    177e:	vfmadd231ps zmm15,zmm28,zmm4
    1784:	vfmadd231ps zmm14,zmm28,zmm5
    178a:	vfmadd231ps zmm13,zmm28,zmm6
    1790:	vfmadd231ps zmm12,zmm28,zmm22
    1796:	vfmadd231ps zmm3,zmm28,zmm26
    179c:	vmovups zmm4,ZMMWORD PTR [rsi-0x278]
    17a6:	vmovups zmm5,ZMMWORD PTR [rsi-0x238]
    17b0:	vmovups zmm6,ZMMWORD PTR [rsi-0x1f8]
    17ba:	vmovups zmm22,ZMMWORD PTR [rsi-0x1b8]
    17c4:	vmovups zmm26,ZMMWORD PTR [rsi-0x178]
    17ce:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x268]
    17d9:	vfmadd231ps zmm8,zmm27,zmm4
    17df:	vfmadd231ps zmm2,zmm27,zmm5
    17e5:	vfmadd231ps zmm11,zmm27,zmm6
    17eb:	vfmadd231ps zmm10,zmm27,zmm22
    17f1:	vbroadcastss zmm28,DWORD PTR [rsp+rcx*1+0x328]
    17fc:	vfmadd231ps zmm24,zmm26,zmm27
    1802:	vfmadd231ps zmm25,zmm28,zmm4
    1808:	vfmadd231ps zmm23,zmm28,zmm5
    180e:	vfmadd231ps zmm21,zmm28,zmm6
    1814:	vfmadd231ps zmm20,zmm28,zmm22
    181a:	vfmadd231ps zmm9,zmm26,zmm28
    1820:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x3e8]
    182b:	vfmadd231ps zmm19,zmm27,zmm4
    1831:	vfmadd231ps zmm18,zmm27,zmm5
    1837:	vfmadd231ps zmm17,zmm27,zmm6
    183d:	vfmadd231ps zmm16,zmm27,zmm22
    1843:	vfmadd231ps zmm1,zmm26,zmm27
    1849:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x4a8]
    1854:	vfmadd231ps zmm15,zmm27,zmm4
    185a:	vfmadd231ps zmm14,zmm27,zmm5
    1860:	vfmadd231ps zmm13,zmm27,zmm6
    1866:	vfmadd231ps zmm12,zmm27,zmm22
    186c:	vfmadd231ps zmm3,zmm27,zmm26
    1872:	vmovups zmm4,ZMMWORD PTR [rsi-0x138]
    187c:	vmovups zmm5,ZMMWORD PTR [rsi-0xf8]
    1886:	vmovups zmm6,ZMMWORD PTR [rsi-0xb8]
    1890:	vmovups zmm22,ZMMWORD PTR [rsi-0x78]
    189a:	vmovups zmm26,ZMMWORD PTR [rsi-0x38]
    18a4:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x26c]
    18af:	vfmadd231ps zmm8,zmm27,zmm4
    18b5:	vfmadd231ps zmm2,zmm27,zmm5
    18bb:	vfmadd231ps zmm11,zmm27,zmm6
    18c1:	vfmadd231ps zmm10,zmm27,zmm22
    18c7:	vfmadd231ps zmm24,zmm26,zmm27
    18cd:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x32c]
    18d8:	vfmadd231ps zmm25,zmm27,zmm4
    18de:	vfmadd231ps zmm23,zmm27,zmm5
    18e4:	vfmadd231ps zmm21,zmm27,zmm6
    18ea:	vfmadd231ps zmm20,zmm27,zmm22
    18f0:	vfmadd231ps zmm9,zmm26,zmm27
    18f6:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x3ec]
    1901:	vfmadd231ps zmm19,zmm27,zmm4
    1907:	vfmadd231ps zmm18,zmm27,zmm5
    190d:	vfmadd231ps zmm17,zmm27,zmm6
    1913:	vfmadd231ps zmm16,zmm27,zmm22
    1919:	vfmadd231ps zmm1,zmm26,zmm27
    191f:	vbroadcastss zmm27,DWORD PTR [rsp+rcx*1+0x4ac]
    192a:	vfmadd231ps zmm15,zmm27,zmm4
    1930:	vfmadd231ps zmm14,zmm27,zmm5
    1936:	vfmadd231ps zmm13,zmm27,zmm6
    193c:	vfmadd231ps zmm12,zmm27,zmm22
    1942:	vfmadd231ps zmm3,zmm27,zmm26
    1948:	add    rsi,0x500
    194f:	add    rcx,0x10
    1953:	jne    15f0 <_pocl_kernel_attention_one_block+0x5f0>
    1959:	vbroadcastss zmm22,DWORD PTR [rip+0x46a1]        # 6004 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb4>
    1963:	vblendmps zmm5{k1},zmm22,zmm24
    1969:	vmaxps zmm4,zmm8,zmm2
    196f:	vmaxps zmm4,zmm4,zmm11
    1975:	vmaxps zmm4,zmm4,zmm10
    197b:	vmaxps zmm6,zmm4,zmm5
    1981:	vblendmps zmm4{k1},zmm22,zmm9
    1987:	vmaxps zmm9,zmm25,zmm23
    198d:	vmaxps zmm9,zmm9,zmm21
    1993:	vmaxps zmm9,zmm9,zmm20
    1999:	vmaxps zmm9,zmm9,zmm4
    199f:	vblendmps zmm0{k1},zmm22,zmm1
    19a5:	vmovaps ZMMWORD PTR [rsp+0x500],zmm0
    19ad:	vmaxps zmm24,zmm19,zmm18
    19b3:	vmaxps zmm24,zmm24,zmm17
    19b9:	vmaxps zmm24,zmm24,zmm16
    19bf:	vmaxps zmm24,zmm24,zmm0
    19c5:	vmovaps zmm22{k1},zmm3
    19cb:	vmaxps zmm3,zmm15,zmm14
    19d1:	vmaxps zmm3,zmm3,zmm13
    19d7:	vmaxps zmm3,zmm3,zmm12
    19dd:	vmaxps zmm3,zmm3,zmm22
    19e3:	vinsertf64x4 zmm26,zmm6,ymm9,0x1
    19ea:	vshuff64x2 zmm6,zmm6,zmm9,0xee
    19f1:	vmaxps zmm6,zmm26,zmm6
    19f7:	vinsertf64x4 zmm9,zmm24,ymm3,0x1
    19fe:	vshuff64x2 zmm3,zmm24,zmm3,0xee
    1a05:	vmaxps zmm3,zmm9,zmm3
    1a0b:	vmovaps zmm9,zmm6
    1a11:	vmovaps zmm0,ZMMWORD PTR [rip+0x4665]        # 6080 <_pocl_kernel_attention_one_block_workgroup_fast+0x1d30>
    1a1b:	vpermt2ps zmm9,zmm0,zmm3
    1a21:	vmovaps zmm0,ZMMWORD PTR [rip+0x4695]        # 60c0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1d70>
    1a2b:	vpermt2ps zmm6,zmm0,zmm3
    1a31:	vmaxps zmm3,zmm9,zmm6
    1a37:	vmovaps ymm0,YMMWORD PTR [rip+0x4841]        # 6280 <_pocl_kernel_attention_one_block_workgroup_fast+0x1f30>
    1a3f:	vpermps zmm6,zmm0,zmm3
    1a45:	vmovaps ymm0,YMMWORD PTR [rip+0x4853]        # 62a0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1f50>
    1a4d:	vpermps zmm3,zmm0,zmm3
    1a53:	vmaxps ymm3,ymm3,ymm6
    1a57:	vextractf128 xmm6,ymm3,0x1
    1a5d:	vshufps xmm7,xmm3,xmm6,0x88
    1a62:	vshufps xmm3,xmm3,xmm6,0xdd
    1a67:	vmaxps xmm3,xmm7,xmm3
    1a6b:	vbroadcastss zmm6,xmm3
    1a71:	vsubps zmm7,zmm8,zmm6
    1a77:	vbroadcastss zmm27,DWORD PTR [rip+0x4587]        # 6008 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb8>
    1a81:	vmaxps zmm7,zmm27,zmm7
    1a87:	vbroadcastss zmm28,DWORD PTR [rip+0x457b]        # 600c <_pocl_kernel_attention_one_block_workgroup_fast+0x1cbc>
    1a91:	vaddps zmm1,zmm7,zmm28
    1a97:	vaddps zmm8,zmm1,zmm29
    1a9d:	vsubps zmm7,zmm7,zmm8
    1aa3:	vbroadcastss zmm0,DWORD PTR [rip+0x456b]        # 6018 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc8>
    1aad:	vmovaps zmm26,zmm0
    1ab3:	vfmadd213ps zmm26,zmm7,zmm30
    1ab9:	vfmadd213ps zmm26,zmm7,zmm31
    1abf:	vbroadcastss zmm8,DWORD PTR [rip+0x4557]        # 6020 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd0>
    1ac9:	vfmadd213ps zmm26,zmm7,zmm8
    1acf:	vbroadcastss zmm9,DWORD PTR [rip+0x454b]        # 6024 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd4>
    1ad9:	vfmadd213ps zmm26,zmm7,zmm9
    1adf:	vbroadcastss zmm24,DWORD PTR [rip+0x453f]        # 6028 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd8>
    1ae9:	vfmadd213ps zmm26,zmm7,zmm24
    1aef:	vpslld zmm1,zmm1,0x17
    1af6:	vpaddd zmm1,zmm1,zmm26
    1afc:	vsubps zmm2,zmm2,zmm6
    1b02:	vmaxps zmm2,zmm27,zmm2
    1b08:	vaddps zmm7,zmm2,zmm28
    1b0e:	vaddps zmm26,zmm7,zmm29
    1b14:	vsubps zmm2,zmm2,zmm26
    1b1a:	mov    rsi,QWORD PTR [rsp+0x20]
    1b1f:	mov    rcx,rsi
    1b22:	shl    rcx,0x6
    1b26:	lea    rdx,[rcx+rcx*4]
    1b2a:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x540],zmm1
    1b32:	vmovaps zmm26,zmm0
    1b38:	vfmadd213ps zmm26,zmm2,zmm30
    1b3e:	vfmadd213ps zmm26,zmm2,zmm31
    1b44:	vfmadd213ps zmm26,zmm2,zmm8
    1b4a:	vfmadd213ps zmm26,zmm2,zmm9
    1b50:	vfmadd213ps zmm26,zmm2,zmm24
    1b56:	vpslld zmm2,zmm7,0x17
    1b5d:	vpaddd zmm2,zmm2,zmm26
    1b63:	mov    rax,rdx
    1b66:	or     rax,0x40
    1b6a:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x540],zmm2
    1b72:	vaddps zmm1,zmm1,zmm2
    1b78:	vsubps zmm2,zmm11,zmm6
    1b7e:	vmaxps zmm2,zmm27,zmm2
    1b84:	vaddps zmm7,zmm2,zmm28
    1b8a:	vaddps zmm11,zmm7,zmm29
    1b90:	vsubps zmm2,zmm2,zmm11
    1b96:	vmovaps zmm11,zmm0
    1b9c:	vfmadd213ps zmm11,zmm2,zmm30
    1ba2:	vfmadd213ps zmm11,zmm2,zmm31
    1ba8:	vfmadd213ps zmm11,zmm2,zmm8
    1bae:	vfmadd213ps zmm11,zmm2,zmm9
    1bb4:	vfmadd213ps zmm11,zmm2,zmm24
    1bba:	vpslld zmm2,zmm7,0x17
    1bc1:	vpaddd zmm2,zmm2,zmm11
    1bc7:	vaddps zmm1,zmm1,zmm2
    1bcd:	mov    rax,rdx
    1bd0:	or     rax,0x80
    1bd6:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x540],zmm2
    1bde:	vsubps zmm2,zmm10,zmm6
    1be4:	vmaxps zmm2,zmm27,zmm2
    1bea:	vaddps zmm7,zmm2,zmm28
    1bf0:	vaddps zmm10,zmm7,zmm29
    1bf6:	vsubps zmm2,zmm2,zmm10
    1bfc:	vmovaps zmm10,zmm0
    1c02:	vfmadd213ps zmm10,zmm2,zmm30
    1c08:	vfmadd213ps zmm10,zmm2,zmm31
    1c0e:	vfmadd213ps zmm10,zmm2,zmm8
    1c14:	vfmadd213ps zmm10,zmm2,zmm9
    1c1a:	vfmadd213ps zmm10,zmm2,zmm24
    1c20:	vpslld zmm2,zmm7,0x17
    1c27:	vpaddd zmm2,zmm2,zmm10
    1c2d:	vaddps zmm1,zmm1,zmm2
    1c33:	mov    rax,rdx
    1c36:	or     rax,0xc0
    1c3c:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x540],zmm2
    1c44:	vsubps zmm2,zmm5,zmm6
    1c4a:	vmaxps zmm2,zmm27,zmm2
    1c50:	vaddps zmm5,zmm2,zmm28
    1c56:	vaddps zmm6,zmm5,zmm29
    1c5c:	vsubps zmm2,zmm2,zmm6
    1c62:	vmovaps zmm6,zmm0
    1c68:	vfmadd213ps zmm6,zmm2,zmm30
    1c6e:	vfmadd213ps zmm6,zmm2,zmm31
    1c74:	vfmadd213ps zmm6,zmm2,zmm8
    1c7a:	vfmadd213ps zmm6,zmm2,zmm9
    1c80:	vfmadd213ps zmm6,zmm2,zmm24
    1c86:	vpslld zmm2,zmm5,0x17
    1c8d:	vpaddd zmm5,zmm2,zmm6
    1c93:	vaddps zmm2,zmm1,zmm5
    1c99:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x640],zmm5
    1ca1:	vbroadcastss zmm1,DWORD PTR [rip+0x4381]        # 602c <_pocl_kernel_attention_one_block_workgroup_fast+0x1cdc>
    1cab:	vpermps zmm5,zmm1,zmm3
    1cb1:	vsubps zmm1,zmm25,zmm5
    1cb7:	vmaxps zmm1,zmm27,zmm1
    1cbd:	vaddps zmm6,zmm1,zmm28
    1cc3:	vaddps zmm7,zmm6,zmm29
    1cc9:	vsubps zmm1,zmm1,zmm7
    1ccf:	vmovaps zmm7,zmm0
    1cd5:	vfmadd213ps zmm7,zmm1,zmm30
    1cdb:	vfmadd213ps zmm7,zmm1,zmm31
    1ce1:	vfmadd213ps zmm7,zmm1,zmm8
    1ce7:	vfmadd213ps zmm7,zmm1,zmm9
    1ced:	vfmadd213ps zmm7,zmm1,zmm24
    1cf3:	vpslld zmm1,zmm6,0x17
    1cfa:	vpaddd zmm1,zmm1,zmm7
    1d00:	vsubps zmm6,zmm23,zmm5
    1d06:	vmaxps zmm6,zmm27,zmm6
    1d0c:	vaddps zmm7,zmm6,zmm28
    1d12:	vaddps zmm10,zmm7,zmm29
    1d18:	vsubps zmm6,zmm6,zmm10
    1d1e:	vmovaps zmm10,zmm0
    1d24:	vfmadd213ps zmm10,zmm6,zmm30
    1d2a:	vfmadd213ps zmm10,zmm6,zmm31
    1d30:	vfmadd213ps zmm10,zmm6,zmm8
    1d36:	vfmadd213ps zmm10,zmm6,zmm9
    1d3c:	vfmadd213ps zmm10,zmm6,zmm24
    1d42:	mov    rax,rcx
    1d45:	or     rax,0x40
    1d49:	lea    rdx,[rax+rax*4]
    1d4d:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x540],zmm1
    1d55:	vpslld zmm6,zmm7,0x17
    1d5c:	vpaddd zmm6,zmm6,zmm10
    1d62:	vaddps zmm1,zmm1,zmm6
    1d68:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x580],zmm6
    1d70:	vsubps zmm6,zmm21,zmm5
    1d76:	vmaxps zmm6,zmm27,zmm6
    1d7c:	vaddps zmm7,zmm6,zmm28
    1d82:	vaddps zmm10,zmm7,zmm29
    1d88:	vsubps zmm6,zmm6,zmm10
    1d8e:	vmovaps zmm10,zmm0
    1d94:	vfmadd213ps zmm10,zmm6,zmm30
    1d9a:	vfmadd213ps zmm10,zmm6,zmm31
    1da0:	vfmadd213ps zmm10,zmm6,zmm8
    1da6:	vfmadd213ps zmm10,zmm6,zmm9
    1dac:	vfmadd213ps zmm10,zmm6,zmm24
    1db2:	vpslld zmm6,zmm7,0x17
    1db9:	vpaddd zmm6,zmm6,zmm10
    1dbf:	vaddps zmm1,zmm1,zmm6
    1dc5:	mov    rax,rdx
    1dc8:	or     rax,0x80
    1dce:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x540],zmm6
    1dd6:	vsubps zmm6,zmm20,zmm5
    1ddc:	vmaxps zmm6,zmm27,zmm6
    1de2:	vaddps zmm7,zmm6,zmm28
    1de8:	vaddps zmm10,zmm7,zmm29
    1dee:	vsubps zmm6,zmm6,zmm10
    1df4:	vmovaps zmm10,zmm0
    1dfa:	vfmadd213ps zmm10,zmm6,zmm30
    1e00:	vfmadd213ps zmm10,zmm6,zmm31
    1e06:	vfmadd213ps zmm10,zmm6,zmm8
    1e0c:	vfmadd213ps zmm10,zmm6,zmm9
    1e12:	vfmadd213ps zmm10,zmm6,zmm24
    1e18:	vpslld zmm6,zmm7,0x17
    1e1f:	vpaddd zmm6,zmm6,zmm10
    1e25:	vaddps zmm1,zmm1,zmm6
    1e2b:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x600],zmm6
    1e33:	vsubps zmm4,zmm4,zmm5
    1e39:	vmaxps zmm4,zmm27,zmm4
    1e3f:	vaddps zmm5,zmm4,zmm28
    1e45:	vaddps zmm6,zmm5,zmm29
    1e4b:	vsubps zmm4,zmm4,zmm6
    1e51:	vmovaps zmm6,zmm0
    1e57:	vfmadd213ps zmm6,zmm4,zmm30
    1e5d:	vfmadd213ps zmm6,zmm4,zmm31
    1e63:	vfmadd213ps zmm6,zmm4,zmm8
    1e69:	vfmadd213ps zmm6,zmm4,zmm9
    1e6f:	vfmadd213ps zmm6,zmm4,zmm24
    1e75:	vpslld zmm4,zmm5,0x17
    1e7c:	vpaddd zmm5,zmm4,zmm6
    1e82:	vaddps zmm4,zmm1,zmm5
    1e88:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x640],zmm5
    1e90:	vbroadcastss zmm1,DWORD PTR [rip+0x4196]        # 6030 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce0>
    1e9a:	vpermps zmm5,zmm1,zmm3
    1ea0:	vsubps zmm1,zmm19,zmm5
    1ea6:	vmaxps zmm1,zmm27,zmm1
    1eac:	vaddps zmm6,zmm1,zmm28
    1eb2:	vaddps zmm7,zmm6,zmm29
    1eb8:	vsubps zmm1,zmm1,zmm7
    1ebe:	vmovaps zmm7,zmm0
    1ec4:	vfmadd213ps zmm7,zmm1,zmm30
    1eca:	vfmadd213ps zmm7,zmm1,zmm31
    1ed0:	vfmadd213ps zmm7,zmm1,zmm8
    1ed6:	vfmadd213ps zmm7,zmm1,zmm9
    1edc:	vfmadd213ps zmm7,zmm1,zmm24
    1ee2:	vpslld zmm1,zmm6,0x17
    1ee9:	vpaddd zmm1,zmm1,zmm7
    1eef:	or     rcx,0x80
    1ef6:	lea    rcx,[rcx+rcx*4]
    1efa:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x540],zmm1
    1f02:	vsubps zmm6,zmm18,zmm5
    1f08:	vmaxps zmm6,zmm27,zmm6
    1f0e:	vaddps zmm7,zmm6,zmm28
    1f14:	vaddps zmm10,zmm7,zmm29
    1f1a:	vsubps zmm6,zmm6,zmm10
    1f20:	vmovaps zmm10,zmm0
    1f26:	vfmadd213ps zmm10,zmm6,zmm30
    1f2c:	vfmadd213ps zmm10,zmm6,zmm31
    1f32:	vfmadd213ps zmm10,zmm6,zmm8
    1f38:	vfmadd213ps zmm10,zmm6,zmm9
    1f3e:	vfmadd213ps zmm10,zmm6,zmm24
    1f44:	vpslld zmm6,zmm7,0x17
    1f4b:	vpaddd zmm6,zmm6,zmm10
    1f51:	mov    rax,rcx
    1f54:	or     rax,0x40
    1f58:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x540],zmm6
    1f60:	vaddps zmm1,zmm1,zmm6
    1f66:	vsubps zmm6,zmm17,zmm5
    1f6c:	vmaxps zmm6,zmm27,zmm6
    1f72:	vaddps zmm7,zmm6,zmm28
    1f78:	vaddps zmm10,zmm7,zmm29
    1f7e:	vsubps zmm6,zmm6,zmm10
    1f84:	vmovaps zmm10,zmm0
    1f8a:	vfmadd213ps zmm10,zmm6,zmm30
    1f90:	vfmadd213ps zmm10,zmm6,zmm31
    1f96:	vfmadd213ps zmm10,zmm6,zmm8
    1f9c:	vfmadd213ps zmm10,zmm6,zmm9
    1fa2:	vfmadd213ps zmm10,zmm6,zmm24
    1fa8:	vpslld zmm6,zmm7,0x17
    1faf:	vpaddd zmm6,zmm6,zmm10
    1fb5:	vaddps zmm1,zmm1,zmm6
    1fbb:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x5c0],zmm6
    1fc3:	vsubps zmm6,zmm16,zmm5
    1fc9:	vmaxps zmm6,zmm27,zmm6
    1fcf:	vaddps zmm7,zmm6,zmm28
    1fd5:	vaddps zmm10,zmm7,zmm29
    1fdb:	vsubps zmm6,zmm6,zmm10
    1fe1:	vmovaps zmm10,zmm0
    1fe7:	vfmadd213ps zmm10,zmm6,zmm30
    1fed:	vfmadd213ps zmm10,zmm6,zmm31
    1ff3:	vfmadd213ps zmm10,zmm6,zmm8
    1ff9:	vfmadd213ps zmm10,zmm6,zmm9
    1fff:	vfmadd213ps zmm10,zmm6,zmm24
    2005:	vpslld zmm6,zmm7,0x17
    200c:	vpaddd zmm6,zmm6,zmm10
    2012:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x600],zmm6
    201a:	vaddps zmm1,zmm1,zmm6
    2020:	vmovaps zmm6,ZMMWORD PTR [rsp+0x500]
    2028:	vsubps zmm5,zmm6,zmm5
    202e:	vmaxps zmm5,zmm27,zmm5
    2034:	vaddps zmm6,zmm5,zmm28
    203a:	vaddps zmm7,zmm6,zmm29
    2040:	vsubps zmm5,zmm5,zmm7
    2046:	vmovaps zmm7,zmm0
    204c:	vfmadd213ps zmm7,zmm5,zmm30
    2052:	vfmadd213ps zmm7,zmm5,zmm31
    2058:	vfmadd213ps zmm7,zmm5,zmm8
    205e:	vfmadd213ps zmm7,zmm5,zmm9
    2064:	vfmadd213ps zmm7,zmm5,zmm24
    206a:	vpslld zmm5,zmm6,0x17
    2071:	vpaddd zmm5,zmm5,zmm7
    2077:	vaddps zmm1,zmm1,zmm5
    207d:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x640],zmm5
    2085:	vbroadcastss zmm5,DWORD PTR [rip+0x3fa5]        # 6034 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce4>
    208f:	vpermps zmm3,zmm5,zmm3
    2095:	vsubps zmm5,zmm15,zmm3
    209b:	vmaxps zmm5,zmm27,zmm5
    20a1:	vaddps zmm6,zmm5,zmm28
    20a7:	vaddps zmm7,zmm6,zmm29
    20ad:	vsubps zmm5,zmm5,zmm7
    20b3:	vmovaps zmm7,zmm0
    20b9:	vfmadd213ps zmm7,zmm5,zmm30
    20bf:	vfmadd213ps zmm7,zmm5,zmm31
    20c5:	vfmadd213ps zmm7,zmm5,zmm8
    20cb:	vfmadd213ps zmm7,zmm5,zmm9
    20d1:	vfmadd213ps zmm7,zmm5,zmm24
    20d7:	vpslld zmm5,zmm6,0x17
    20de:	vpaddd zmm5,zmm5,zmm7
    20e4:	vsubps zmm6,zmm14,zmm3
    20ea:	vmaxps zmm6,zmm27,zmm6
    20f0:	vaddps zmm7,zmm6,zmm28
    20f6:	vaddps zmm10,zmm7,zmm29
    20fc:	vsubps zmm6,zmm6,zmm10
    2102:	vmovaps zmm10,zmm0
    2108:	vfmadd213ps zmm10,zmm6,zmm30
    210e:	vfmadd213ps zmm10,zmm6,zmm31
    2114:	vfmadd213ps zmm10,zmm6,zmm8
    211a:	vfmadd213ps zmm10,zmm6,zmm9
    2120:	vfmadd213ps zmm10,zmm6,zmm24
    2126:	mov    rax,rsi
    2129:	or     rax,0x3
    212d:	lea    rcx,[rax+rax*4]
    2131:	shl    rcx,0x6
    2135:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x540],zmm5
    213d:	vpslld zmm6,zmm7,0x17
    2144:	vpaddd zmm6,zmm6,zmm10
    214a:	vaddps zmm5,zmm5,zmm6
    2150:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x580],zmm6
    2158:	vsubps zmm6,zmm13,zmm3
    215e:	vmaxps zmm6,zmm27,zmm6
    2164:	vaddps zmm7,zmm6,zmm28
    216a:	vaddps zmm10,zmm7,zmm29
    2170:	vsubps zmm6,zmm6,zmm10
    2176:	vmovaps zmm10,zmm0
    217c:	vfmadd213ps zmm10,zmm6,zmm30
    2182:	vfmadd213ps zmm10,zmm6,zmm31
    2188:	vfmadd213ps zmm10,zmm6,zmm8
    218e:	vfmadd213ps zmm10,zmm6,zmm9
    2194:	vfmadd213ps zmm10,zmm6,zmm24
    219a:	vpslld zmm6,zmm7,0x17
    21a1:	vpaddd zmm6,zmm6,zmm10
    21a7:	vaddps zmm5,zmm5,zmm6
    21ad:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x5c0],zmm6
    21b5:	vsubps zmm6,zmm12,zmm3
    21bb:	vmaxps zmm6,zmm27,zmm6
    21c1:	vaddps zmm7,zmm6,zmm28
    21c7:	vaddps zmm10,zmm7,zmm29
    21cd:	vsubps zmm6,zmm6,zmm10
    21d3:	vmovaps zmm10,zmm0
    21d9:	vfmadd213ps zmm10,zmm6,zmm30
    21df:	vfmadd213ps zmm10,zmm6,zmm31
    21e5:	vfmadd213ps zmm10,zmm6,zmm8
    21eb:	vfmadd213ps zmm10,zmm6,zmm9
    21f1:	vfmadd213ps zmm10,zmm6,zmm24
    21f7:	vpslld zmm6,zmm7,0x17
    21fe:	vpaddd zmm6,zmm6,zmm10
    2204:	vaddps zmm5,zmm5,zmm6
    220a:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x600],zmm6
    2212:	vsubps zmm3,zmm22,zmm3
    2218:	vmaxps zmm3,zmm27,zmm3
    221e:	vaddps zmm6,zmm3,zmm28
    2224:	vaddps zmm7,zmm6,zmm29
    222a:	vsubps zmm3,zmm3,zmm7
    2230:	vfmadd213ps zmm0,zmm3,zmm30
    2236:	vfmadd213ps zmm0,zmm3,zmm31
    223c:	vfmadd213ps zmm0,zmm3,zmm8
    2242:	vfmadd213ps zmm0,zmm3,zmm9
    2248:	vfmadd213ps zmm0,zmm3,zmm24
    224e:	vpslld zmm3,zmm6,0x17
    2255:	vpaddd zmm0,zmm3,zmm0
    225b:	vinsertf64x4 zmm3,zmm2,ymm4,0x1
    2262:	vshuff64x2 zmm2,zmm2,zmm4,0xee
    2269:	vaddps zmm4,zmm5,zmm0
    226f:	vaddps zmm2,zmm3,zmm2
    2275:	vextractf64x4 ymm3,zmm2,0x1
    227c:	vhaddps ymm2,ymm2,ymm3
    2280:	vinsertf64x4 zmm3,zmm1,ymm4,0x1
    2287:	vshuff64x2 zmm1,zmm1,zmm4,0xee
    228e:	vaddps zmm1,zmm3,zmm1
    2294:	vextractf64x4 ymm3,zmm1,0x1
    229b:	vhaddps ymm1,ymm1,ymm3
    229f:	vpermpd ymm2,ymm2,0xd8
    22a5:	vpermpd ymm1,ymm1,0xd8
    22ab:	vhaddps ymm1,ymm2,ymm1
    22af:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x640],zmm0
    22b7:	vextractf128 xmm0,ymm1,0x1
    22bd:	vhaddps xmm0,xmm1,xmm0
    22c1:	vpermilps xmm0,xmm0,0xd8
    22c7:	vdivps xmm0,xmm24,xmm0
    22cd:	vmovaps XMMWORD PTR [rsp+rsi*4+0xc0],xmm0
    22d6:	lea    rcx,[rsi+0x4]
    22da:	cmp    rsi,0xc
    22de:	jb     1270 <_pocl_kernel_attention_one_block+0x270>
    22e4:	mov    rax,QWORD PTR [rsp+0x38]
    22e9:	mov    rcx,QWORD PTR [rsp+0x48]
    22ee:	add    rax,rcx
    22f1:	mov    QWORD PTR [rsp+0x20],rax
    22f6:	mov    r12b,0x1
    22f9:	xor    r8d,r8d
    22fc:	mov    r10,QWORD PTR [rsp+0x78]
    2301:	mov    r14,QWORD PTR [rsp+0x70]
    2306:	mov    r11,QWORD PTR [rsp+0x68]
    230b:	mov    r13,QWORD PTR [rsp+0x60]
    2310:	mov    rdi,QWORD PTR [rsp+0x58]
    2315:	mov    rcx,QWORD PTR [rsp+0x50]
    231a:	jmp    2336 <_pocl_kernel_attention_one_block+0x1336>
    231c:	nop    DWORD PTR [rax+0x0]
    2320:	mov    r8d,0x8
    2326:	test   r12b,0x1
    232a:	mov    r12d,0x0
    2330:	je     1220 <_pocl_kernel_attention_one_block+0x220>
    2336:	mov    eax,DWORD PTR [rbp+0x28]
    2339:	test   eax,eax
    233b:	jle    2510 <_pocl_kernel_attention_one_block+0x1510>
    2341:	lea    rax,[r8+r8*4]
    2345:	shl    rax,0x6
    2349:	lea    rsi,[rsp+rax*1]
    234d:	add    rsi,0x540
    2354:	vxorps xmm12,xmm12,xmm12
    2359:	vxorps xmm13,xmm13,xmm13
    235e:	xor    r15d,r15d
    2361:	vxorps xmm14,xmm14,xmm14
    2366:	vxorps xmm15,xmm15,xmm15
    236b:	vxorps xmm16,xmm16,xmm16
    2371:	vxorps xmm8,xmm8,xmm8
    2376:	vxorps xmm9,xmm9,xmm9
    237b:	vxorps xmm11,xmm11,xmm11
    2380:	vxorps xmm18,xmm18,xmm18
    2386:	vxorps xmm2,xmm2,xmm2
    238a:	vxorps xmm3,xmm3,xmm3
    238e:	vxorps xmm20,xmm20,xmm20
    2394:	vxorps xmm21,xmm21,xmm21
    239a:	vxorps xmm23,xmm23,xmm23
    23a0:	vxorps xmm24,xmm24,xmm24
    23a6:	vxorps xmm25,xmm25,xmm25
    23ac:	vxorps xmm26,xmm26,xmm26
    23b2:	vxorps xmm17,xmm17,xmm17
    23b8:	vxorps xmm10,xmm10,xmm10
    23bd:	vxorps xmm1,xmm1,xmm1
    23c1:	vxorps xmm19,xmm19,xmm19
    23c7:	vxorps xmm22,xmm22,xmm22
    23cd:	vxorps xmm4,xmm4,xmm4
    23d1:	vxorps xmm27,xmm27,xmm27
    23d7:	mov    rax,QWORD PTR [rsp+0x88]
    23df:	nop
    23e0:	vmovups zmm0,ZMMWORD PTR [rcx+r15*4]
    23e7:	vmovups zmm5,ZMMWORD PTR [rcx+r15*4+0x40]
    23ef:	vmovups ymm6,YMMWORD PTR [rcx+r15*4+0x80]
    23f9:	vbroadcastss zmm7,DWORD PTR [rsi]
    23ff:	vfmadd231ps zmm26,zmm7,zmm0
    2405:	vfmadd231ps zmm25,zmm5,zmm7
    240b:	vfmadd231ps ymm27,ymm6,DWORD BCST [rsi+r9*4]
    2412:	vbroadcastss zmm7,DWORD PTR [rsi+0x140]
    2419:	vfmadd231ps zmm24,zmm7,zmm0
    241f:	vfmadd231ps zmm23,zmm5,zmm7
    2425:	vfmadd231ps ymm4,ymm6,DWORD BCST [rsi+r9*4+0x140]
    242d:	vbroadcastss zmm7,DWORD PTR [rsi+0x280]
    2437:	vfmadd231ps zmm21,zmm7,zmm0
    243d:	vfmadd231ps zmm20,zmm5,zmm7
    2443:	vfmadd231ps ymm22,ymm6,DWORD BCST [rsi+r9*4+0x280]
    244e:	vbroadcastss zmm7,DWORD PTR [rsi+0x3c0]
    2458:	vfmadd231ps zmm3,zmm7,zmm0
    245e:	vfmadd231ps zmm2,zmm5,zmm7
    2464:	vfmadd231ps ymm19,ymm6,DWORD BCST [rsi+r9*4+0x3c0]
    246f:	vbroadcastss zmm7,DWORD PTR [rsi+0x500]
    2479:	vfmadd231ps zmm18,zmm7,zmm0
    247f:	vfmadd231ps zmm11,zmm5,zmm7
    2485:	vfmadd231ps ymm1,ymm6,DWORD BCST [rsi+r9*4+0x500]
    2490:	vbroadcastss zmm7,DWORD PTR [rsi+0x640]
    249a:	vfmadd231ps zmm9,zmm7,zmm0
    24a0:	vfmadd231ps zmm8,zmm5,zmm7
    24a6:	vfmadd231ps ymm10,ymm6,DWORD BCST [rsi+r9*4+0x640]
    24b1:	vbroadcastss zmm7,DWORD PTR [rsi+0x780]
    24bb:	vfmadd231ps zmm16,zmm7,zmm0
    24c1:	vfmadd231ps zmm15,zmm5,zmm7
    24c7:	vfmadd231ps ymm17,ymm6,DWORD BCST [rsi+r9*4+0x780]
    24d2:	vbroadcastss zmm7,DWORD PTR [rsi+0x8c0]
    24dc:	vfmadd231ps zmm14,zmm7,zmm0
    24e2:	vfmadd231ps zmm13,zmm7,zmm5
    24e8:	vfmadd231ps ymm12,ymm6,DWORD BCST [rsi+r9*4+0x8c0]
    24f3:	add    r15,0x28
    24f7:	add    rsi,0x4
    24fb:	cmp    rax,r15
    24fe:	jne    23e0 <_pocl_kernel_attention_one_block+0x13e0>
    2504:	jmp    2590 <_pocl_kernel_attention_one_block+0x1590>
    2509:	nop    DWORD PTR [rax+0x0]
    2510:	vxorps xmm12,xmm12,xmm12
    2515:	vxorps xmm13,xmm13,xmm13
    251a:	vxorps xmm14,xmm14,xmm14
    251f:	vxorps xmm15,xmm15,xmm15
    2524:	vxorps xmm16,xmm16,xmm16
    252a:	vxorps xmm8,xmm8,xmm8
    252f:	vxorps xmm9,xmm9,xmm9
    2534:	vxorps xmm11,xmm11,xmm11
    2539:	vxorps xmm18,xmm18,xmm18
    253f:	vxorps xmm2,xmm2,xmm2
    2543:	vxorps xmm3,xmm3,xmm3
    2547:	vxorps xmm20,xmm20,xmm20
    254d:	vxorps xmm21,xmm21,xmm21
    2553:	vxorps xmm23,xmm23,xmm23
    2559:	vxorps xmm24,xmm24,xmm24
    255f:	vxorps xmm25,xmm25,xmm25
    2565:	vxorps xmm26,xmm26,xmm26
    256b:	vxorps xmm17,xmm17,xmm17
    2571:	vxorps xmm10,xmm10,xmm10
    2576:	vxorps xmm1,xmm1,xmm1
    257a:	vxorps xmm19,xmm19,xmm19
    2580:	vxorps xmm22,xmm22,xmm22
    2586:	vxorps xmm4,xmm4,xmm4
    258a:	vxorps xmm27,xmm27,xmm27
    2590:	mov    rax,QWORD PTR [rsp+0x20]
    2595:	lea    r15,[rax+r8*1]
    2599:	mov    rax,r8
    259c:	or     rax,QWORD PTR [rsp+0x48]
    25a1:	cmp    rax,r11
    25a4:	jge    2611 <_pocl_kernel_attention_one_block+0x1611>
    25a6:	mov    rax,r15
    25a9:	imul   rax,r10
    25ad:	add    rax,r14
    25b0:	lea    rax,[rax+rax*4]
    25b4:	lea    rax,[rax*8+0x0]
    25bc:	add    rax,r13
    25bf:	vbroadcastss zmm0,DWORD PTR [rsp+r8*4+0xc0]
    25c7:	vmulps zmm5,zmm26,zmm0
    25cd:	vextractf32x4 XMMWORD PTR [rdi+rax*4+0x10],zmm5,0x1
    25d6:	vmovups XMMWORD PTR [rdi+rax*4],xmm5
    25db:	vextractf64x4 YMMWORD PTR [rdi+rax*4+0x20],zmm5,0x1
    25e4:	vmulps zmm5,zmm25,zmm0
    25ea:	vextractf32x4 XMMWORD PTR [rdi+rax*4+0x50],zmm5,0x1
    25f3:	vmovups XMMWORD PTR [rdi+rax*4+0x40],xmm5
    25f9:	vextractf64x4 YMMWORD PTR [rdi+rax*4+0x60],zmm5,0x1
    2602:	vmulps ymm0,ymm27,ymm0
    2608:	vmovups YMMWORD PTR [rdi+rax*4+0x80],ymm0
    2611:	mov    rax,r8
    2614:	or     rax,0x1
    2618:	mov    esi,DWORD PTR [rsp+0x34]
    261c:	mov    edx,esi
    261e:	or     edx,eax
    2620:	mov    ebx,DWORD PTR [rbp+0x20]
    2623:	cmp    edx,ebx
    2625:	jge    2691 <_pocl_kernel_attention_one_block+0x1691>
    2627:	lea    rdx,[r15+0x1]
    262b:	imul   rdx,r10
    262f:	add    rdx,r14
    2632:	lea    rdx,[rdx+rdx*4]
    2636:	lea    rdx,[rdx*8+0x0]
    263e:	add    rdx,r13
    2641:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xc0]
    2649:	vmulps zmm5,zmm24,zmm0
    264f:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x10],zmm5,0x1
    2658:	vmovups XMMWORD PTR [rdi+rdx*4],xmm5
    265d:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x20],zmm5,0x1
    2666:	vmulps zmm5,zmm23,zmm0
    266c:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x50],zmm5,0x1
    2675:	vmovups XMMWORD PTR [rdi+rdx*4+0x40],xmm5
    267b:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x60],zmm5,0x1
    2684:	vmulps ymm0,ymm4,ymm0
    2688:	vmovups YMMWORD PTR [rdi+rdx*4+0x80],ymm0
    2691:	mov    rax,r8
    2694:	or     rax,0x2
    2698:	mov    edx,esi
    269a:	or     edx,eax
    269c:	cmp    edx,ebx
    269e:	jge    270c <_pocl_kernel_attention_one_block+0x170c>
    26a0:	lea    rdx,[r15+0x2]
    26a4:	imul   rdx,r10
    26a8:	add    rdx,r14
    26ab:	lea    rdx,[rdx+rdx*4]
    26af:	lea    rdx,[rdx*8+0x0]
    26b7:	add    rdx,r13
    26ba:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xc0]
    26c2:	vmulps zmm4,zmm21,zmm0
    26c8:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x10],zmm4,0x1
    26d1:	vmovups XMMWORD PTR [rdi+rdx*4],xmm4
    26d6:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x20],zmm4,0x1
    26df:	vmulps zmm4,zmm20,zmm0
    26e5:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x50],zmm4,0x1
    26ee:	vmovups XMMWORD PTR [rdi+rdx*4+0x40],xmm4
    26f4:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x60],zmm4,0x1
    26fd:	vmulps ymm0,ymm22,ymm0
    2703:	vmovups YMMWORD PTR [rdi+rdx*4+0x80],ymm0
    270c:	mov    rax,r8
    270f:	or     rax,0x3
    2713:	mov    edx,esi
    2715:	or     edx,eax
    2717:	cmp    edx,ebx
    2719:	jge    2787 <_pocl_kernel_attention_one_block+0x1787>
    271b:	lea    rdx,[r15+0x3]
    271f:	imul   rdx,r10
    2723:	add    rdx,r14
    2726:	lea    rdx,[rdx+rdx*4]
    272a:	lea    rdx,[rdx*8+0x0]
    2732:	add    rdx,r13
    2735:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xc0]
    273d:	vmulps zmm3,zmm3,zmm0
    2743:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x10],zmm3,0x1
    274c:	vmovups XMMWORD PTR [rdi+rdx*4],xmm3
    2751:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x20],zmm3,0x1
    275a:	vmulps zmm2,zmm2,zmm0
    2760:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x50],zmm2,0x1
    2769:	vmovups XMMWORD PTR [rdi+rdx*4+0x40],xmm2
    276f:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x60],zmm2,0x1
    2778:	vmulps ymm0,ymm19,ymm0
    277e:	vmovups YMMWORD PTR [rdi+rdx*4+0x80],ymm0
    2787:	mov    rax,r8
    278a:	or     rax,0x4
    278e:	mov    edx,esi
    2790:	or     edx,eax
    2792:	cmp    edx,ebx
    2794:	jge    2800 <_pocl_kernel_attention_one_block+0x1800>
    2796:	lea    rdx,[r15+0x4]
    279a:	imul   rdx,r10
    279e:	add    rdx,r14
    27a1:	lea    rdx,[rdx+rdx*4]
    27a5:	lea    rdx,[rdx*8+0x0]
    27ad:	add    rdx,r13
    27b0:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xc0]
    27b8:	vmulps zmm2,zmm18,zmm0
    27be:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x10],zmm2,0x1
    27c7:	vmovups XMMWORD PTR [rdi+rdx*4],xmm2
    27cc:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x20],zmm2,0x1
    27d5:	vmulps zmm2,zmm11,zmm0
    27db:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x50],zmm2,0x1
    27e4:	vmovups XMMWORD PTR [rdi+rdx*4+0x40],xmm2
    27ea:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x60],zmm2,0x1
    27f3:	vmulps ymm0,ymm1,ymm0
    27f7:	vmovups YMMWORD PTR [rdi+rdx*4+0x80],ymm0
    2800:	mov    rax,r8
    2803:	or     rax,0x5
    2807:	mov    edx,esi
    2809:	or     edx,eax
    280b:	cmp    edx,ebx
    280d:	jge    2879 <_pocl_kernel_attention_one_block+0x1879>
    280f:	lea    rdx,[r15+0x5]
    2813:	imul   rdx,r10
    2817:	add    rdx,r14
    281a:	lea    rdx,[rdx+rdx*4]
    281e:	lea    rdx,[rdx*8+0x0]
    2826:	add    rdx,r13
    2829:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xc0]
    2831:	vmulps zmm1,zmm9,zmm0
    2837:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x10],zmm1,0x1
    2840:	vmovups XMMWORD PTR [rdi+rdx*4],xmm1
    2845:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x20],zmm1,0x1
    284e:	vmulps zmm1,zmm8,zmm0
    2854:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x50],zmm1,0x1
    285d:	vmovups XMMWORD PTR [rdi+rdx*4+0x40],xmm1
    2863:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x60],zmm1,0x1
    286c:	vmulps ymm0,ymm10,ymm0
    2870:	vmovups YMMWORD PTR [rdi+rdx*4+0x80],ymm0
    2879:	mov    rax,r8
    287c:	or     rax,0x6
    2880:	mov    edx,esi
    2882:	or     edx,eax
    2884:	cmp    edx,ebx
    2886:	jge    28f4 <_pocl_kernel_attention_one_block+0x18f4>
    2888:	lea    rdx,[r15+0x6]
    288c:	imul   rdx,r10
    2890:	add    rdx,r14
    2893:	lea    rdx,[rdx+rdx*4]
    2897:	lea    rdx,[rdx*8+0x0]
    289f:	add    rdx,r13
    28a2:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xc0]
    28aa:	vmulps zmm1,zmm16,zmm0
    28b0:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x10],zmm1,0x1
    28b9:	vmovups XMMWORD PTR [rdi+rdx*4],xmm1
    28be:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x20],zmm1,0x1
    28c7:	vmulps zmm1,zmm15,zmm0
    28cd:	vextractf32x4 XMMWORD PTR [rdi+rdx*4+0x50],zmm1,0x1
    28d6:	vmovups XMMWORD PTR [rdi+rdx*4+0x40],xmm1
    28dc:	vextractf64x4 YMMWORD PTR [rdi+rdx*4+0x60],zmm1,0x1
    28e5:	vmulps ymm0,ymm17,ymm0
    28eb:	vmovups YMMWORD PTR [rdi+rdx*4+0x80],ymm0
    28f4:	or     r8,0x7
    28f8:	mov    eax,esi
    28fa:	or     eax,r8d
    28fd:	cmp    eax,ebx
    28ff:	jge    2320 <_pocl_kernel_attention_one_block+0x1320>
    2905:	add    r15,0x7
    2909:	imul   r15,r10
    290d:	add    r15,r14
    2910:	lea    rax,[r15+r15*4]
    2914:	lea    rax,[rax*8+0x0]
    291c:	add    rax,r13
    291f:	vbroadcastss zmm0,DWORD PTR [rsp+r8*4+0xc0]
    2927:	vmulps zmm1,zmm14,zmm0
    292d:	vextractf32x4 XMMWORD PTR [rdi+rax*4+0x10],zmm1,0x1
    2936:	vmovups XMMWORD PTR [rdi+rax*4],xmm1
    293b:	vextractf64x4 YMMWORD PTR [rdi+rax*4+0x20],zmm1,0x1
    2944:	vmulps zmm1,zmm13,zmm0
    294a:	vextractf32x4 XMMWORD PTR [rdi+rax*4+0x50],zmm1,0x1
    2953:	vmovups XMMWORD PTR [rdi+rax*4+0x40],xmm1
    2959:	vextractf64x4 YMMWORD PTR [rdi+rax*4+0x60],zmm1,0x1
    2962:	vmulps ymm0,ymm12,ymm0
    2966:	vmovups YMMWORD PTR [rdi+rax*4+0x80],ymm0
    296f:	jmp    2320 <_pocl_kernel_attention_one_block+0x1320>
    2974:	lea    rsp,[rbp-0x28]
    2978:	pop    rbx
    2979:	pop    r12
    297b:	pop    r13
    297d:	pop    r14
    297f:	pop    r15
    2981:	pop    rbp
    2982:	vzeroupper
    2985:	ret
    2986:	cs nop WORD PTR [rax+rax*1+0x0]

0000000000002990 <_pocl_kernel_attention_one_block_workgroup>:
    2990:	push   rbp
    2991:	mov    rbp,rsp
    2994:	push   r15
    2996:	push   r14
    2998:	push   r13
    299a:	push   r12
    299c:	push   rbx
    299d:	and    rsp,0xffffffffffffffc0
    29a1:	sub    rsp,0x1980
    29a8:	mov    rsi,r8
    29ab:	mov    QWORD PTR [rsp+0x30],r8
    29b0:	mov    r8,rdx
    29b3:	mov    rax,QWORD PTR [rdi]
    29b6:	mov    rdx,QWORD PTR [rdi+0x8]
    29ba:	mov    rbx,QWORD PTR [rax]
    29bd:	movsxd rax,DWORD PTR [rdx]
    29c0:	mov    QWORD PTR [rsp+0x50],rax
    29c5:	mov    rax,QWORD PTR [rdi+0x10]
    29c9:	mov    r10,QWORD PTR [rax]
    29cc:	mov    rax,QWORD PTR [rdi+0x18]
    29d0:	movsxd r15,DWORD PTR [rax]
    29d3:	mov    rax,QWORD PTR [rdi+0x20]
    29d7:	mov    rax,QWORD PTR [rax]
    29da:	mov    QWORD PTR [rsp+0x20],rax
    29df:	mov    rax,QWORD PTR [rdi+0x28]
    29e3:	movsxd rax,DWORD PTR [rax]
    29e6:	mov    QWORD PTR [rsp+0x18],rax
    29eb:	mov    rax,QWORD PTR [rdi+0x38]
    29ef:	movsxd r11,DWORD PTR [rax]
    29f2:	mov    rax,QWORD PTR [rdi+0x40]
    29f6:	movsxd r13,DWORD PTR [rax]
    29f9:	mov    rax,QWORD PTR [rdi+0x70]
    29fd:	vmovss xmm0,DWORD PTR [rax]
    2a01:	mov    rax,QWORD PTR [rdi+0x48]
    2a05:	mov    eax,DWORD PTR [rax]
    2a07:	mov    QWORD PTR [rsp+0x48],rax
    2a0c:	mov    rax,QWORD PTR [rdi+0x50]
    2a10:	movsxd r9,DWORD PTR [rax]
    2a13:	mov    rax,QWORD PTR [rdi+0x58]
    2a17:	movsxd rax,DWORD PTR [rax]
    2a1a:	mov    QWORD PTR [rsp+0x58],rax
    2a1f:	mov    rax,QWORD PTR [rdi+0x60]
    2a23:	movsxd r12,DWORD PTR [rax]
    2a26:	mov    r14,QWORD PTR [rdi+0x30]
    2a2a:	mov    rdi,QWORD PTR [rdi+0x68]
    2a2e:	mov    eax,esi
    2a30:	cdq
    2a31:	idiv   DWORD PTR [rdi]
    2a33:	mov    DWORD PTR [rsp+0x28],edx
    2a37:	shl    r11,0x2
    2a3b:	add    r11,QWORD PTR [r14]
    2a3e:	mov    r14,r13
    2a41:	lea    eax,[r8+0x1]
    2a45:	cdq
    2a46:	idiv   r9d
    2a49:	shl    ecx,0x4
    2a4c:	test   edx,edx
    2a4e:	lea    r13d,[rcx+rcx*2]
    2a52:	lea    eax,[rcx+rcx*2+0x30]
    2a56:	cmovne eax,r13d
    2a5a:	movsxd rsi,r8d
    2a5d:	shl    r8,0x23
    2a61:	lea    rdi,[r8+r8*4]
    2a65:	mov    r8,QWORD PTR [rsp+0x50]
    2a6a:	sar    rdi,0x20
    2a6e:	add    rdi,r15
    2a71:	mov    QWORD PTR [rsp+0xa8],r10
    2a79:	lea    rcx,[r10+r15*4]
    2a7d:	add    rdi,r12
    2a80:	mov    QWORD PTR [rsp+0xb0],rdi
    2a88:	lea    rcx,[rcx+r12*4]
    2a8c:	mov    r12,QWORD PTR [rsp+0x48]
    2a91:	movsxd rdi,edx
    2a94:	lea    edx,[rdi*8+0x0]
    2a9b:	lea    edx,[rdx+rdx*4]
    2a9e:	movsxd rdx,edx
    2aa1:	lea    rcx,[rcx+rdx*4]
    2aa5:	mov    QWORD PTR [rsp+0xa0],rcx
    2aad:	vpbroadcastd xmm1,eax
    2ab3:	vmovdqa XMMWORD PTR [rsp+0x110],xmm1
    2abc:	vpbroadcastq ymm1,rdi
    2ac2:	vmovdqa YMMWORD PTR [rsp+0x1a0],ymm1
    2acb:	movsxd rax,DWORD PTR [rsp+0x28]
    2ad0:	imul   rax,r9
    2ad4:	mov    QWORD PTR [rsp+0x78],rsi
    2ad9:	add    rax,rsi
    2adc:	imul   rax,rax,0x3200
    2ae3:	add    r11,rax
    2ae6:	mov    rcx,QWORD PTR [rsp+0x18]
    2aeb:	lea    rax,[rax+rcx*4]
    2aef:	mov    rcx,QWORD PTR [rsp+0x20]
    2af4:	add    rax,rcx
    2af7:	add    rax,0x4f8
    2afd:	mov    QWORD PTR [rsp+0x98],rax
    2b05:	vpbroadcastd zmm1,r12d
    2b0b:	movsxd rcx,DWORD PTR [rsp+0x30]
    2b10:	imul   rcx,r14
    2b14:	vmulss xmm0,xmm0,DWORD PTR [rip+0x34e4]        # 6000 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb0>
    2b1c:	vbroadcastss zmm0,xmm0
    2b22:	vmovaps ZMMWORD PTR [rsp+0x4c0],zmm0
    2b2a:	mov    eax,r12d
    2b2d:	sar    eax,0x1e
    2b30:	movsxd r15,eax
    2b33:	lea    eax,[r14-0x1]
    2b37:	mov    DWORD PTR [rsp+0x44],eax
    2b3b:	vpbroadcastd xmm0,eax
    2b41:	vmovdqa XMMWORD PTR [rsp+0x100],xmm0
    2b4a:	mov    rax,rcx
    2b4d:	mov    QWORD PTR [rsp+0x30],rcx
    2b52:	vpbroadcastq ymm0,rcx
    2b58:	vmovdqa YMMWORD PTR [rsp+0x180],ymm0
    2b61:	mov    QWORD PTR [rsp+0x18],r9
    2b66:	vpbroadcastq ymm0,r9
    2b6c:	vmovdqa YMMWORD PTR [rsp+0x160],ymm0
    2b75:	mov    rax,QWORD PTR [rsp+0x58]
    2b7a:	vpbroadcastq ymm0,rax
    2b80:	vmovdqa YMMWORD PTR [rsp+0x140],ymm0
    2b89:	mov    rax,r12
    2b8c:	shl    rax,0x3
    2b90:	vbroadcastsd ymm0,QWORD PTR [rip+0x349f]        # 6038 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce8>
    2b99:	vmovaps YMMWORD PTR [rsp+0x120],ymm0
    2ba2:	vpcmpgtd k1,zmm1,ZMMWORD PTR [rip+0x3554]        # 6100 <_pocl_kernel_attention_one_block_workgroup_fast+0x1db0>
    2bac:	lea    rsi,[rax+rax*4]
    2bb0:	lea    rax,[rbx+r8*4]
    2bb4:	mov    QWORD PTR [rsp+0x90],rax
    2bbc:	mov    QWORD PTR [rsp+0x38],r13
    2bc1:	movsxd rax,r13d
    2bc4:	mov    QWORD PTR [rsp+0x88],rax
    2bcc:	xor    r10d,r10d
    2bcf:	mov    QWORD PTR [rsp+0x80],r14
    2bd7:	mov    QWORD PTR [rsp+0x70],rbx
    2bdc:	mov    QWORD PTR [rsp+0x68],rsi
    2be1:	vbroadcastss zmm29,DWORD PTR [rip+0x3425]        # 6010 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc0>
    2beb:	vbroadcastss zmm30,DWORD PTR [rip+0x341f]        # 6014 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc4>
    2bf5:	vbroadcastss zmm31,DWORD PTR [rip+0x341d]        # 601c <_pocl_kernel_attention_one_block_workgroup_fast+0x1ccc>
    2bff:	jmp    2c21 <_pocl_kernel_attention_one_block_workgroup+0x291>
    2c01:	data16 data16 data16 data16 data16 cs nop WORD PTR [rax+rax*1+0x0]
    2c10:	lea    rax,[r10+0x10]
    2c14:	cmp    r10,0x20
    2c18:	mov    r10,rax
    2c1b:	jae    4339 <_pocl_kernel_attention_one_block_workgroup+0x19a9>
    2c21:	mov    rax,QWORD PTR [rsp+0x88]
    2c29:	add    rax,r10
    2c2c:	mov    QWORD PTR [rsp+0x60],rax
    2c31:	cmp    rax,r14
    2c34:	jge    4339 <_pocl_kernel_attention_one_block_workgroup+0x19a9>
    2c3a:	mov    rax,QWORD PTR [rsp+0x38]
    2c3f:	add    eax,r10d
    2c42:	mov    DWORD PTR [rsp+0x20],eax
    2c46:	xor    eax,eax
    2c48:	mov    QWORD PTR [rsp+0xb8],r10
    2c50:	mov    QWORD PTR [rsp+0x28],rax
    2c55:	lea    r8d,[rax+r10*1]
    2c59:	mov    rcx,QWORD PTR [rsp+0x38]
    2c5e:	lea    eax,[rcx+r8*1]
    2c62:	mov    rdx,rcx
    2c65:	mov    r10d,DWORD PTR [rsp+0x44]
    2c6a:	cmp    eax,r10d
    2c6d:	cmovge eax,r10d
    2c71:	movsxd r12,eax
    2c74:	mov    r9,QWORD PTR [rsp+0x30]
    2c79:	add    r12,r9
    2c7c:	mov    rsi,r9
    2c7f:	mov    r13,QWORD PTR [rsp+0x58]
    2c84:	imul   r12,r13
    2c88:	mov    r9,QWORD PTR [rsp+0xb0]
    2c90:	add    r12,r9
    2c93:	mov    eax,r8d
    2c96:	or     eax,0x1
    2c99:	add    ecx,eax
    2c9b:	cmp    ecx,r10d
    2c9e:	cmovge ecx,r10d
    2ca2:	movsxd rdi,ecx
    2ca5:	add    rdi,rsi
    2ca8:	imul   rdi,r13
    2cac:	add    rdi,r9
    2caf:	mov    r14d,r8d
    2cb2:	or     r14d,0x2
    2cb6:	lea    ecx,[r14+rdx*1]
    2cba:	cmp    ecx,r10d
    2cbd:	cmovge ecx,r10d
    2cc1:	vmovd  xmm0,r8d
    2cc6:	vpinsrd xmm0,xmm0,eax,0x1
    2ccc:	or     r8d,0x3
    2cd0:	vpinsrd xmm0,xmm0,r14d,0x2
    2cd6:	vpinsrd xmm0,xmm0,r8d,0x3
    2cdc:	vpaddd xmm0,xmm0,XMMWORD PTR [rsp+0x110]
    2ce5:	vpminsd xmm0,xmm0,XMMWORD PTR [rsp+0x100]
    2cef:	vpmovsxdq ymm0,xmm0
    2cf4:	vpaddq ymm0,ymm0,YMMWORD PTR [rsp+0x180]
    2cfd:	vpmullq ymm1,ymm0,YMMWORD PTR [rsp+0x160]
    2d05:	vpaddq ymm1,ymm1,YMMWORD PTR [rsp+0x1a0]
    2d0e:	vpmullq ymm1,ymm1,YMMWORD PTR [rsp+0x120]
    2d16:	vmovq  rax,xmm1
    2d1b:	mov    rdx,QWORD PTR [rsp+0x90]
    2d23:	prefetchw BYTE PTR [rdx+rax*4]
    2d27:	vpmullq ymm0,ymm0,YMMWORD PTR [rsp+0x140]
    2d2f:	vmovq  rsi,xmm0
    2d34:	mov    rbx,QWORD PTR [rsp+0xa0]
    2d3c:	prefetcht0 BYTE PTR [rbx+rsi*4]
    2d40:	prefetchw BYTE PTR [rdx+rax*4+0x40]
    2d45:	prefetcht0 BYTE PTR [rbx+rsi*4+0x40]
    2d4a:	prefetchw BYTE PTR [rdx+rax*4+0x80]
    2d52:	prefetcht0 BYTE PTR [rbx+rsi*4+0x80]
    2d5a:	vpextrq r14,xmm1,0x1
    2d60:	mov    rsi,QWORD PTR [rsp+0xa8]
    2d68:	vmovaps zmm2,ZMMWORD PTR [rsp+0x4c0]
    2d70:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+r12*4]
    2d77:	vmovaps ZMMWORD PTR [rsp+0x1c0],zmm3
    2d7f:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+r12*4+0x40]
    2d87:	vmovaps ZMMWORD PTR [rsp+0x200],zmm3
    2d8f:	vmovups xmm3,XMMWORD PTR [rsi+r12*4+0x80]
    2d99:	vinsertf32x4 zmm3,zmm3,XMMWORD PTR [rsi+r12*4+0x90],0x1
    2da2:	vmovaps ymm3,ymm3
    2da6:	vmulps zmm3,zmm2,zmm3
    2dac:	vmovaps ZMMWORD PTR [rsp+0x240],zmm3
    2db4:	vpextrq rax,xmm0,0x1
    2dba:	prefetchw BYTE PTR [rdx+r14*4]
    2dbf:	prefetcht0 BYTE PTR [rbx+rax*4]
    2dc3:	prefetchw BYTE PTR [rdx+r14*4+0x40]
    2dc9:	prefetcht0 BYTE PTR [rbx+rax*4+0x40]
    2dce:	prefetchw BYTE PTR [rdx+r14*4+0x80]
    2dd7:	vextracti128 xmm1,ymm1,0x1
    2ddd:	prefetcht0 BYTE PTR [rbx+rax*4+0x80]
    2de5:	vmovq  rax,xmm1
    2dea:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+rdi*4]
    2df1:	vmovaps ZMMWORD PTR [rsp+0x280],zmm3
    2df9:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+rdi*4+0x40]
    2e01:	vmovaps ZMMWORD PTR [rsp+0x2c0],zmm3
    2e09:	vmovups xmm3,XMMWORD PTR [rsi+rdi*4+0x80]
    2e12:	vinsertf32x4 zmm3,zmm3,XMMWORD PTR [rsi+rdi*4+0x90],0x1
    2e1b:	vmovaps ymm3,ymm3
    2e1f:	vmulps zmm3,zmm2,zmm3
    2e25:	vmovaps ZMMWORD PTR [rsp+0x300],zmm3
    2e2d:	vextracti128 xmm0,ymm0,0x1
    2e33:	vmovq  rdi,xmm0
    2e38:	prefetchw BYTE PTR [rdx+rax*4]
    2e3c:	prefetcht0 BYTE PTR [rbx+rdi*4]
    2e40:	prefetchw BYTE PTR [rdx+rax*4+0x40]
    2e45:	prefetcht0 BYTE PTR [rbx+rdi*4+0x40]
    2e4a:	prefetchw BYTE PTR [rdx+rax*4+0x80]
    2e52:	movsxd rax,ecx
    2e55:	mov    r14,QWORD PTR [rsp+0x30]
    2e5a:	add    rax,r14
    2e5d:	imul   rax,r13
    2e61:	add    rax,r9
    2e64:	prefetcht0 BYTE PTR [rbx+rdi*4+0x80]
    2e6c:	vpextrq rcx,xmm1,0x1
    2e72:	vmulps zmm1,zmm2,ZMMWORD PTR [rsi+rax*4]
    2e79:	vmovaps ZMMWORD PTR [rsp+0x340],zmm1
    2e81:	vmulps zmm1,zmm2,ZMMWORD PTR [rsi+rax*4+0x40]
    2e89:	vmovaps ZMMWORD PTR [rsp+0x380],zmm1
    2e91:	vmovups xmm1,XMMWORD PTR [rsi+rax*4+0x80]
    2e9a:	vinsertf32x4 zmm1,zmm1,XMMWORD PTR [rsi+rax*4+0x90],0x1
    2ea3:	vmovaps ymm1,ymm1
    2ea7:	vmulps zmm1,zmm2,zmm1
    2ead:	vmovaps ZMMWORD PTR [rsp+0x3c0],zmm1
    2eb5:	vpextrq rax,xmm0,0x1
    2ebb:	prefetchw BYTE PTR [rdx+rcx*4]
    2ebf:	prefetcht0 BYTE PTR [rbx+rax*4]
    2ec3:	prefetchw BYTE PTR [rdx+rcx*4+0x40]
    2ec8:	prefetcht0 BYTE PTR [rbx+rax*4+0x40]
    2ecd:	prefetchw BYTE PTR [rdx+rcx*4+0x80]
    2ed5:	mov    rcx,QWORD PTR [rsp+0x38]
    2eda:	add    ecx,r8d
    2edd:	cmp    ecx,r10d
    2ee0:	cmovge ecx,r10d
    2ee4:	movsxd rcx,ecx
    2ee7:	prefetcht0 BYTE PTR [rbx+rax*4+0x80]
    2eef:	add    rcx,r14
    2ef2:	imul   rcx,r13
    2ef6:	add    rcx,r9
    2ef9:	vmulps zmm0,zmm2,ZMMWORD PTR [rsi+rcx*4]
    2f00:	vmovaps ZMMWORD PTR [rsp+0x400],zmm0
    2f08:	vmulps zmm0,zmm2,ZMMWORD PTR [rsi+rcx*4+0x40]
    2f10:	vmovaps ZMMWORD PTR [rsp+0x440],zmm0
    2f18:	vmovups xmm0,XMMWORD PTR [rsi+rcx*4+0x80]
    2f21:	vinsertf32x4 zmm0,zmm0,XMMWORD PTR [rsi+rcx*4+0x90],0x1
    2f2a:	vmovaps ymm0,ymm0
    2f2e:	vmulps zmm0,zmm2,zmm0
    2f34:	vmovaps ZMMWORD PTR [rsp+0x480],zmm0
    2f3c:	vxorps xmm3,xmm3,xmm3
    2f40:	mov    rax,0xffffffffffffff60
    2f47:	mov    rdi,QWORD PTR [rsp+0x98]
    2f4f:	vxorps xmm12,xmm12,xmm12
    2f54:	vxorps xmm13,xmm13,xmm13
    2f59:	vxorps xmm14,xmm14,xmm14
    2f5e:	vxorps xmm15,xmm15,xmm15
    2f63:	vxorps xmm0,xmm0,xmm0
    2f67:	vxorps xmm16,xmm16,xmm16
    2f6d:	vxorps xmm17,xmm17,xmm17
    2f73:	vxorps xmm18,xmm18,xmm18
    2f79:	vxorps xmm19,xmm19,xmm19
    2f7f:	vxorps xmm9,xmm9,xmm9
    2f84:	vxorps xmm20,xmm20,xmm20
    2f8a:	vxorps xmm21,xmm21,xmm21
    2f90:	vxorps xmm23,xmm23,xmm23
    2f96:	vxorps xmm25,xmm25,xmm25
    2f9c:	vxorps xmm24,xmm24,xmm24
    2fa2:	vxorps xmm10,xmm10,xmm10
    2fa7:	vxorps xmm11,xmm11,xmm11
    2fac:	vxorps xmm1,xmm1,xmm1
    2fb0:	vxorps xmm8,xmm8,xmm8
    2fb5:	data16 cs nop WORD PTR [rax+rax*1+0x0]
    2fc0:	vmovups zmm4,ZMMWORD PTR [rdi-0x4f8]
    2fca:	vmovups zmm5,ZMMWORD PTR [rdi-0x4b8]
    2fd4:	vmovups zmm6,ZMMWORD PTR [rdi-0x478]
    2fde:	vmovups zmm22,ZMMWORD PTR [rdi-0x438]
    2fe8:	vmovups zmm26,ZMMWORD PTR [rdi-0x3f8]
    2ff2:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x260]
    2ffd:	vfmadd231ps zmm8,zmm27,zmm4
    3003:	vfmadd231ps zmm1,zmm27,zmm5
    3009:	vfmadd231ps zmm11,zmm27,zmm6
    300f:	vfmadd231ps zmm10,zmm27,zmm22
    3015:	vfmadd231ps zmm24,zmm26,zmm27
    301b:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x320]
    3026:	vfmadd231ps zmm25,zmm27,zmm4
    302c:	vfmadd231ps zmm23,zmm27,zmm5
    3032:	vfmadd231ps zmm21,zmm27,zmm6
    3038:	vfmadd231ps zmm20,zmm27,zmm22
    303e:	vfmadd231ps zmm9,zmm26,zmm27
    3044:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x3e0]
    304f:	vfmadd231ps zmm19,zmm27,zmm4
    3055:	vfmadd231ps zmm18,zmm27,zmm5
    305b:	vfmadd231ps zmm17,zmm27,zmm6
    3061:	vfmadd231ps zmm16,zmm27,zmm22
    3067:	vfmadd231ps zmm0,zmm26,zmm27
    306d:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x4a0]
    3078:	vfmadd231ps zmm15,zmm27,zmm4
    307e:	vfmadd231ps zmm14,zmm27,zmm5
    3084:	vfmadd231ps zmm13,zmm27,zmm6
    308a:	vfmadd231ps zmm12,zmm27,zmm22
    3090:	vfmadd231ps zmm3,zmm27,zmm26
    3096:	vmovups zmm4,ZMMWORD PTR [rdi-0x3b8]
    30a0:	vmovups zmm5,ZMMWORD PTR [rdi-0x378]
    30aa:	vmovups zmm6,ZMMWORD PTR [rdi-0x338]
    30b4:	vmovups zmm22,ZMMWORD PTR [rdi-0x2f8]
    30be:	vmovups zmm26,ZMMWORD PTR [rdi-0x2b8]
    30c8:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x264]
    30d3:	vfmadd231ps zmm8,zmm27,zmm4
    30d9:	vfmadd231ps zmm1,zmm27,zmm5
    30df:	vfmadd231ps zmm11,zmm27,zmm6
    30e5:	vfmadd231ps zmm10,zmm27,zmm22
    30eb:	vfmadd231ps zmm24,zmm26,zmm27
    30f1:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x324]
    30fc:	vfmadd231ps zmm25,zmm27,zmm4
    3102:	vfmadd231ps zmm23,zmm27,zmm5
    3108:	vfmadd231ps zmm21,zmm27,zmm6
    310e:	vfmadd231ps zmm20,zmm27,zmm22
    3114:	vfmadd231ps zmm9,zmm26,zmm27
    311a:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x3e4]
    3125:	vfmadd231ps zmm19,zmm27,zmm4
    312b:	vfmadd231ps zmm18,zmm27,zmm5
    3131:	vfmadd231ps zmm17,zmm27,zmm6
    3137:	vfmadd231ps zmm16,zmm27,zmm22
    313d:	vbroadcastss zmm28,DWORD PTR [rsp+rax*1+0x4a4]
    3148:	vfmadd231ps zmm0,zmm26,zmm27
    314e:	vfmadd231ps zmm15,zmm28,zmm4
    3154:	vfmadd231ps zmm14,zmm28,zmm5
    315a:	vfmadd231ps zmm13,zmm28,zmm6
    3160:	vfmadd231ps zmm12,zmm28,zmm22
    3166:	vfmadd231ps zmm3,zmm28,zmm26
    316c:	vmovups zmm4,ZMMWORD PTR [rdi-0x278]
    3176:	vmovups zmm5,ZMMWORD PTR [rdi-0x238]
    3180:	vmovups zmm6,ZMMWORD PTR [rdi-0x1f8]
    318a:	vmovups zmm22,ZMMWORD PTR [rdi-0x1b8]
    3194:	vmovups zmm26,ZMMWORD PTR [rdi-0x178]
    319e:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x268]
    31a9:	vfmadd231ps zmm8,zmm27,zmm4
    31af:	vfmadd231ps zmm1,zmm27,zmm5
    31b5:	vfmadd231ps zmm11,zmm27,zmm6
    31bb:	vfmadd231ps zmm10,zmm27,zmm22
    31c1:	vbroadcastss zmm28,DWORD PTR [rsp+rax*1+0x328]
    31cc:	vfmadd231ps zmm24,zmm26,zmm27
    31d2:	vfmadd231ps zmm25,zmm28,zmm4
    31d8:	vfmadd231ps zmm23,zmm28,zmm5
    31de:	vfmadd231ps zmm21,zmm28,zmm6
    31e4:	vfmadd231ps zmm20,zmm28,zmm22
    31ea:	vfmadd231ps zmm9,zmm26,zmm28
    31f0:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x3e8]
    31fb:	vfmadd231ps zmm19,zmm27,zmm4
    3201:	vfmadd231ps zmm18,zmm27,zmm5
    3207:	vfmadd231ps zmm17,zmm27,zmm6
    320d:	vfmadd231ps zmm16,zmm27,zmm22
    3213:	vfmadd231ps zmm0,zmm26,zmm27
    3219:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x4a8]
    3224:	vfmadd231ps zmm15,zmm27,zmm4
    322a:	vfmadd231ps zmm14,zmm27,zmm5
    3230:	vfmadd231ps zmm13,zmm27,zmm6
    3236:	vfmadd231ps zmm12,zmm27,zmm22
    323c:	vfmadd231ps zmm3,zmm27,zmm26
    3242:	vmovups zmm4,ZMMWORD PTR [rdi-0x138]
    324c:	vmovups zmm5,ZMMWORD PTR [rdi-0xf8]
    3256:	vmovups zmm6,ZMMWORD PTR [rdi-0xb8]
    3260:	vmovups zmm22,ZMMWORD PTR [rdi-0x78]
    326a:	vmovups zmm26,ZMMWORD PTR [rdi-0x38]
    3274:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x26c]
    327f:	vfmadd231ps zmm8,zmm27,zmm4
    3285:	vfmadd231ps zmm1,zmm27,zmm5
    328b:	vfmadd231ps zmm11,zmm27,zmm6
    3291:	vfmadd231ps zmm10,zmm27,zmm22
    3297:	vfmadd231ps zmm24,zmm26,zmm27
    329d:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x32c]
    32a8:	vfmadd231ps zmm25,zmm27,zmm4
    32ae:	vfmadd231ps zmm23,zmm27,zmm5
    32b4:	vfmadd231ps zmm21,zmm27,zmm6
    32ba:	vfmadd231ps zmm20,zmm27,zmm22
    32c0:	vfmadd231ps zmm9,zmm26,zmm27
    32c6:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x3ec]
    32d1:	vfmadd231ps zmm19,zmm27,zmm4
    32d7:	vfmadd231ps zmm18,zmm27,zmm5
    32dd:	vfmadd231ps zmm17,zmm27,zmm6
    32e3:	vfmadd231ps zmm16,zmm27,zmm22
    32e9:	vfmadd231ps zmm0,zmm26,zmm27
    32ef:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x4ac]
    32fa:	vfmadd231ps zmm15,zmm27,zmm4
    3300:	vfmadd231ps zmm14,zmm27,zmm5
    3306:	vfmadd231ps zmm13,zmm27,zmm6
    330c:	vfmadd231ps zmm12,zmm27,zmm22
    3312:	vfmadd231ps zmm3,zmm27,zmm26
    3318:	add    rdi,0x500
    331f:	add    rax,0x10
    3323:	jne    2fc0 <_pocl_kernel_attention_one_block_workgroup+0x630>
    3329:	vbroadcastss zmm22,DWORD PTR [rip+0x2cd1]        # 6004 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb4>
    3333:	vblendmps zmm5{k1},zmm22,zmm24
    3339:	vmaxps zmm4,zmm8,zmm1
    333f:	vmaxps zmm4,zmm4,zmm11
    3345:	vmaxps zmm4,zmm4,zmm10
    334b:	vmaxps zmm6,zmm4,zmm5
    3351:	vblendmps zmm4{k1},zmm22,zmm9
    3357:	vmaxps zmm9,zmm25,zmm23
    335d:	vmaxps zmm9,zmm9,zmm21
    3363:	vmaxps zmm9,zmm9,zmm20
    3369:	vmaxps zmm9,zmm9,zmm4
    336f:	vblendmps zmm0{k1},zmm22,zmm0
    3375:	vmovaps ZMMWORD PTR [rsp+0x500],zmm0
    337d:	vmaxps zmm24,zmm19,zmm18
    3383:	vmaxps zmm24,zmm24,zmm17
    3389:	vmaxps zmm24,zmm24,zmm16
    338f:	vmaxps zmm24,zmm24,zmm0
    3395:	vmovaps zmm22{k1},zmm3
    339b:	vmaxps zmm3,zmm15,zmm14
    33a1:	vmaxps zmm3,zmm3,zmm13
    33a7:	vmaxps zmm3,zmm3,zmm12
    33ad:	vmaxps zmm3,zmm3,zmm22
    33b3:	vinsertf64x4 zmm26,zmm6,ymm9,0x1
    33ba:	vshuff64x2 zmm6,zmm6,zmm9,0xee
    33c1:	vmaxps zmm6,zmm26,zmm6
    33c7:	vinsertf64x4 zmm9,zmm24,ymm3,0x1
    33ce:	vshuff64x2 zmm3,zmm24,zmm3,0xee
    33d5:	vmaxps zmm3,zmm9,zmm3
    33db:	vmovaps zmm9,zmm6
    33e1:	vmovaps zmm0,ZMMWORD PTR [rip+0x2d55]        # 6140 <_pocl_kernel_attention_one_block_workgroup_fast+0x1df0>
    33eb:	vpermt2ps zmm9,zmm0,zmm3
    33f1:	vmovaps zmm0,ZMMWORD PTR [rip+0x2d85]        # 6180 <_pocl_kernel_attention_one_block_workgroup_fast+0x1e30>
    33fb:	vpermt2ps zmm6,zmm0,zmm3
    3401:	vmaxps zmm3,zmm9,zmm6
    3407:	vmovaps ymm0,YMMWORD PTR [rip+0x2e71]        # 6280 <_pocl_kernel_attention_one_block_workgroup_fast+0x1f30>
    340f:	vpermps zmm6,zmm0,zmm3
    3415:	vmovaps ymm0,YMMWORD PTR [rip+0x2e83]        # 62a0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1f50>
    341d:	vpermps zmm3,zmm0,zmm3
    3423:	vmaxps ymm3,ymm3,ymm6
    3427:	vextractf128 xmm6,ymm3,0x1
    342d:	vshufps xmm7,xmm3,xmm6,0x88
    3432:	vshufps xmm3,xmm3,xmm6,0xdd
    3437:	vmaxps xmm3,xmm7,xmm3
    343b:	vbroadcastss zmm6,xmm3
    3441:	vsubps zmm7,zmm8,zmm6
    3447:	vbroadcastss zmm27,DWORD PTR [rip+0x2bb7]        # 6008 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb8>
    3451:	vmaxps zmm7,zmm27,zmm7
    3457:	vbroadcastss zmm28,DWORD PTR [rip+0x2bab]        # 600c <_pocl_kernel_attention_one_block_workgroup_fast+0x1cbc>
    3461:	vaddps zmm2,zmm7,zmm28
    3467:	vaddps zmm8,zmm2,zmm29
    346d:	vsubps zmm7,zmm7,zmm8
    3473:	vbroadcastss zmm0,DWORD PTR [rip+0x2b9b]        # 6018 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc8>
    347d:	vmovaps zmm26,zmm0
    3483:	vfmadd213ps zmm26,zmm7,zmm30
    3489:	vfmadd213ps zmm26,zmm7,zmm31
    348f:	vbroadcastss zmm8,DWORD PTR [rip+0x2b87]        # 6020 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd0>
    3499:	vfmadd213ps zmm26,zmm7,zmm8
    349f:	vbroadcastss zmm9,DWORD PTR [rip+0x2b7b]        # 6024 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd4>
    34a9:	vfmadd213ps zmm26,zmm7,zmm9
    34af:	vbroadcastss zmm24,DWORD PTR [rip+0x2b6f]        # 6028 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd8>
    34b9:	vfmadd213ps zmm26,zmm7,zmm24
    34bf:	vpslld zmm2,zmm2,0x17
    34c6:	vpaddd zmm2,zmm2,zmm26
    34cc:	vsubps zmm1,zmm1,zmm6
    34d2:	vmaxps zmm1,zmm27,zmm1
    34d8:	vaddps zmm7,zmm1,zmm28
    34de:	vaddps zmm26,zmm7,zmm29
    34e4:	vsubps zmm1,zmm1,zmm26
    34ea:	mov    rsi,QWORD PTR [rsp+0x28]
    34ef:	mov    rax,rsi
    34f2:	shl    rax,0x6
    34f6:	lea    rcx,[rax+rax*4]
    34fa:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x540],zmm2
    3502:	vmovaps zmm26,zmm0
    3508:	vfmadd213ps zmm26,zmm1,zmm30
    350e:	vfmadd213ps zmm26,zmm1,zmm31
    3514:	vfmadd213ps zmm26,zmm1,zmm8
    351a:	vfmadd213ps zmm26,zmm1,zmm9
    3520:	vfmadd213ps zmm26,zmm1,zmm24
    3526:	vpslld zmm1,zmm7,0x17
    352d:	vpaddd zmm1,zmm1,zmm26
    3533:	mov    rdx,rcx
    3536:	or     rdx,0x40
    353a:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x540],zmm1
    3542:	vaddps zmm1,zmm2,zmm1
    3548:	vsubps zmm2,zmm11,zmm6
    354e:	vmaxps zmm2,zmm27,zmm2
    3554:	vaddps zmm7,zmm2,zmm28
    355a:	vaddps zmm11,zmm7,zmm29
    3560:	vsubps zmm2,zmm2,zmm11
    3566:	vmovaps zmm11,zmm0
    356c:	vfmadd213ps zmm11,zmm2,zmm30
    3572:	vfmadd213ps zmm11,zmm2,zmm31
    3578:	vfmadd213ps zmm11,zmm2,zmm8
    357e:	vfmadd213ps zmm11,zmm2,zmm9
    3584:	vfmadd213ps zmm11,zmm2,zmm24
    358a:	vpslld zmm2,zmm7,0x17
    3591:	vpaddd zmm2,zmm2,zmm11
    3597:	vaddps zmm1,zmm1,zmm2
    359d:	mov    rdx,rcx
    35a0:	or     rdx,0x80
    35a7:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x540],zmm2
    35af:	vsubps zmm2,zmm10,zmm6
    35b5:	vmaxps zmm2,zmm27,zmm2
    35bb:	vaddps zmm7,zmm2,zmm28
    35c1:	vaddps zmm10,zmm7,zmm29
    35c7:	vsubps zmm2,zmm2,zmm10
    35cd:	vmovaps zmm10,zmm0
    35d3:	vfmadd213ps zmm10,zmm2,zmm30
    35d9:	vfmadd213ps zmm10,zmm2,zmm31
    35df:	vfmadd213ps zmm10,zmm2,zmm8
    35e5:	vfmadd213ps zmm10,zmm2,zmm9
    35eb:	vfmadd213ps zmm10,zmm2,zmm24
    35f1:	vpslld zmm2,zmm7,0x17
    35f8:	vpaddd zmm2,zmm2,zmm10
    35fe:	vaddps zmm1,zmm1,zmm2
    3604:	mov    rdx,rcx
    3607:	or     rdx,0xc0
    360e:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x540],zmm2
    3616:	vsubps zmm2,zmm5,zmm6
    361c:	vmaxps zmm2,zmm27,zmm2
    3622:	vaddps zmm5,zmm2,zmm28
    3628:	vaddps zmm6,zmm5,zmm29
    362e:	vsubps zmm2,zmm2,zmm6
    3634:	vmovaps zmm6,zmm0
    363a:	vfmadd213ps zmm6,zmm2,zmm30
    3640:	vfmadd213ps zmm6,zmm2,zmm31
    3646:	vfmadd213ps zmm6,zmm2,zmm8
    364c:	vfmadd213ps zmm6,zmm2,zmm9
    3652:	vfmadd213ps zmm6,zmm2,zmm24
    3658:	vpslld zmm2,zmm5,0x17
    365f:	vpaddd zmm2,zmm2,zmm6
    3665:	vaddps zmm1,zmm1,zmm2
    366b:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x640],zmm2
    3673:	vbroadcastss zmm2,DWORD PTR [rip+0x29af]        # 602c <_pocl_kernel_attention_one_block_workgroup_fast+0x1cdc>
    367d:	vpermps zmm5,zmm2,zmm3
    3683:	vsubps zmm2,zmm25,zmm5
    3689:	vmaxps zmm2,zmm27,zmm2
    368f:	vaddps zmm6,zmm2,zmm28
    3695:	vaddps zmm7,zmm6,zmm29
    369b:	vsubps zmm2,zmm2,zmm7
    36a1:	vmovaps zmm7,zmm0
    36a7:	vfmadd213ps zmm7,zmm2,zmm30
    36ad:	vfmadd213ps zmm7,zmm2,zmm31
    36b3:	vfmadd213ps zmm7,zmm2,zmm8
    36b9:	vfmadd213ps zmm7,zmm2,zmm9
    36bf:	vfmadd213ps zmm7,zmm2,zmm24
    36c5:	vpslld zmm2,zmm6,0x17
    36cc:	vpaddd zmm2,zmm2,zmm7
    36d2:	vsubps zmm6,zmm23,zmm5
    36d8:	vmaxps zmm6,zmm27,zmm6
    36de:	vaddps zmm7,zmm6,zmm28
    36e4:	vaddps zmm10,zmm7,zmm29
    36ea:	vsubps zmm6,zmm6,zmm10
    36f0:	vmovaps zmm10,zmm0
    36f6:	vfmadd213ps zmm10,zmm6,zmm30
    36fc:	vfmadd213ps zmm10,zmm6,zmm31
    3702:	vfmadd213ps zmm10,zmm6,zmm8
    3708:	vfmadd213ps zmm10,zmm6,zmm9
    370e:	vfmadd213ps zmm10,zmm6,zmm24
    3714:	mov    rcx,rax
    3717:	or     rcx,0x40
    371b:	lea    rcx,[rcx+rcx*4]
    371f:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x540],zmm2
    3727:	vpslld zmm6,zmm7,0x17
    372e:	vpaddd zmm6,zmm6,zmm10
    3734:	vaddps zmm2,zmm2,zmm6
    373a:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x580],zmm6
    3742:	vsubps zmm6,zmm21,zmm5
    3748:	vmaxps zmm6,zmm27,zmm6
    374e:	vaddps zmm7,zmm6,zmm28
    3754:	vaddps zmm10,zmm7,zmm29
    375a:	vsubps zmm6,zmm6,zmm10
    3760:	vmovaps zmm10,zmm0
    3766:	vfmadd213ps zmm10,zmm6,zmm30
    376c:	vfmadd213ps zmm10,zmm6,zmm31
    3772:	vfmadd213ps zmm10,zmm6,zmm8
    3778:	vfmadd213ps zmm10,zmm6,zmm9
    377e:	vfmadd213ps zmm10,zmm6,zmm24
    3784:	vpslld zmm6,zmm7,0x17
    378b:	vpaddd zmm6,zmm6,zmm10
    3791:	vaddps zmm2,zmm2,zmm6
    3797:	mov    rdx,rcx
    379a:	or     rdx,0x80
    37a1:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x540],zmm6
    37a9:	vsubps zmm6,zmm20,zmm5
    37af:	vmaxps zmm6,zmm27,zmm6
    37b5:	vaddps zmm7,zmm6,zmm28
    37bb:	vaddps zmm10,zmm7,zmm29
    37c1:	vsubps zmm6,zmm6,zmm10
    37c7:	vmovaps zmm10,zmm0
    37cd:	vfmadd213ps zmm10,zmm6,zmm30
    37d3:	vfmadd213ps zmm10,zmm6,zmm31
    37d9:	vfmadd213ps zmm10,zmm6,zmm8
    37df:	vfmadd213ps zmm10,zmm6,zmm9
    37e5:	vfmadd213ps zmm10,zmm6,zmm24
    37eb:	vpslld zmm6,zmm7,0x17
    37f2:	vpaddd zmm6,zmm6,zmm10
    37f8:	vaddps zmm2,zmm2,zmm6
    37fe:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x600],zmm6
    3806:	vsubps zmm4,zmm4,zmm5
    380c:	vmaxps zmm4,zmm27,zmm4
    3812:	vaddps zmm5,zmm4,zmm28
    3818:	vaddps zmm6,zmm5,zmm29
    381e:	vsubps zmm4,zmm4,zmm6
    3824:	vmovaps zmm6,zmm0
    382a:	vfmadd213ps zmm6,zmm4,zmm30
    3830:	vfmadd213ps zmm6,zmm4,zmm31
    3836:	vfmadd213ps zmm6,zmm4,zmm8
    383c:	vfmadd213ps zmm6,zmm4,zmm9
    3842:	vfmadd213ps zmm6,zmm4,zmm24
    3848:	vpslld zmm4,zmm5,0x17
    384f:	vpaddd zmm5,zmm4,zmm6
    3855:	vaddps zmm4,zmm2,zmm5
    385b:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x640],zmm5
    3863:	vbroadcastss zmm2,DWORD PTR [rip+0x27c3]        # 6030 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce0>
    386d:	vpermps zmm5,zmm2,zmm3
    3873:	vsubps zmm2,zmm19,zmm5
    3879:	vmaxps zmm2,zmm27,zmm2
    387f:	vaddps zmm6,zmm2,zmm28
    3885:	vaddps zmm7,zmm6,zmm29
    388b:	vsubps zmm2,zmm2,zmm7
    3891:	vmovaps zmm7,zmm0
    3897:	vfmadd213ps zmm7,zmm2,zmm30
    389d:	vfmadd213ps zmm7,zmm2,zmm31
    38a3:	vfmadd213ps zmm7,zmm2,zmm8
    38a9:	vfmadd213ps zmm7,zmm2,zmm9
    38af:	vfmadd213ps zmm7,zmm2,zmm24
    38b5:	vpslld zmm2,zmm6,0x17
    38bc:	vpaddd zmm2,zmm2,zmm7
    38c2:	or     rax,0x80
    38c8:	lea    rax,[rax+rax*4]
    38cc:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x540],zmm2
    38d4:	vsubps zmm6,zmm18,zmm5
    38da:	vmaxps zmm6,zmm27,zmm6
    38e0:	vaddps zmm7,zmm6,zmm28
    38e6:	vaddps zmm10,zmm7,zmm29
    38ec:	vsubps zmm6,zmm6,zmm10
    38f2:	vmovaps zmm10,zmm0
    38f8:	vfmadd213ps zmm10,zmm6,zmm30
    38fe:	vfmadd213ps zmm10,zmm6,zmm31
    3904:	vfmadd213ps zmm10,zmm6,zmm8
    390a:	vfmadd213ps zmm10,zmm6,zmm9
    3910:	vfmadd213ps zmm10,zmm6,zmm24
    3916:	vpslld zmm6,zmm7,0x17
    391d:	vpaddd zmm6,zmm6,zmm10
    3923:	mov    rcx,rax
    3926:	or     rcx,0x40
    392a:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x540],zmm6
    3932:	vaddps zmm2,zmm2,zmm6
    3938:	vsubps zmm6,zmm17,zmm5
    393e:	vmaxps zmm6,zmm27,zmm6
    3944:	vaddps zmm7,zmm6,zmm28
    394a:	vaddps zmm10,zmm7,zmm29
    3950:	vsubps zmm6,zmm6,zmm10
    3956:	vmovaps zmm10,zmm0
    395c:	vfmadd213ps zmm10,zmm6,zmm30
    3962:	vfmadd213ps zmm10,zmm6,zmm31
    3968:	vfmadd213ps zmm10,zmm6,zmm8
    396e:	vfmadd213ps zmm10,zmm6,zmm9
    3974:	vfmadd213ps zmm10,zmm6,zmm24
    397a:	vpslld zmm6,zmm7,0x17
    3981:	vpaddd zmm6,zmm6,zmm10
    3987:	vaddps zmm2,zmm2,zmm6
    398d:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x5c0],zmm6
    3995:	vsubps zmm6,zmm16,zmm5
    399b:	vmaxps zmm6,zmm27,zmm6
    39a1:	vaddps zmm7,zmm6,zmm28
    39a7:	vaddps zmm10,zmm7,zmm29
    39ad:	vsubps zmm6,zmm6,zmm10
    39b3:	vmovaps zmm10,zmm0
    39b9:	vfmadd213ps zmm10,zmm6,zmm30
    39bf:	vfmadd213ps zmm10,zmm6,zmm31
    39c5:	vfmadd213ps zmm10,zmm6,zmm8
    39cb:	vfmadd213ps zmm10,zmm6,zmm9
    39d1:	vfmadd213ps zmm10,zmm6,zmm24
    39d7:	vpslld zmm6,zmm7,0x17
    39de:	vpaddd zmm6,zmm6,zmm10
    39e4:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x600],zmm6
    39ec:	vaddps zmm2,zmm2,zmm6
    39f2:	vmovaps zmm6,ZMMWORD PTR [rsp+0x500]
    39fa:	vsubps zmm5,zmm6,zmm5
    3a00:	vmaxps zmm5,zmm27,zmm5
    3a06:	vaddps zmm6,zmm5,zmm28
    3a0c:	vaddps zmm7,zmm6,zmm29
    3a12:	vsubps zmm5,zmm5,zmm7
    3a18:	vmovaps zmm7,zmm0
    3a1e:	vfmadd213ps zmm7,zmm5,zmm30
    3a24:	vfmadd213ps zmm7,zmm5,zmm31
    3a2a:	vfmadd213ps zmm7,zmm5,zmm8
    3a30:	vfmadd213ps zmm7,zmm5,zmm9
    3a36:	vfmadd213ps zmm7,zmm5,zmm24
    3a3c:	vpslld zmm5,zmm6,0x17
    3a43:	vpaddd zmm5,zmm5,zmm7
    3a49:	vaddps zmm2,zmm2,zmm5
    3a4f:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x640],zmm5
    3a57:	vbroadcastss zmm5,DWORD PTR [rip+0x25d3]        # 6034 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce4>
    3a61:	vpermps zmm3,zmm5,zmm3
    3a67:	vsubps zmm5,zmm15,zmm3
    3a6d:	vmaxps zmm5,zmm27,zmm5
    3a73:	vaddps zmm6,zmm5,zmm28
    3a79:	vaddps zmm7,zmm6,zmm29
    3a7f:	vsubps zmm5,zmm5,zmm7
    3a85:	vmovaps zmm7,zmm0
    3a8b:	vfmadd213ps zmm7,zmm5,zmm30
    3a91:	vfmadd213ps zmm7,zmm5,zmm31
    3a97:	vfmadd213ps zmm7,zmm5,zmm8
    3a9d:	vfmadd213ps zmm7,zmm5,zmm9
    3aa3:	vfmadd213ps zmm7,zmm5,zmm24
    3aa9:	vpslld zmm5,zmm6,0x17
    3ab0:	vpaddd zmm5,zmm5,zmm7
    3ab6:	vsubps zmm6,zmm14,zmm3
    3abc:	vmaxps zmm6,zmm27,zmm6
    3ac2:	vaddps zmm7,zmm6,zmm28
    3ac8:	vaddps zmm10,zmm7,zmm29
    3ace:	vsubps zmm6,zmm6,zmm10
    3ad4:	vmovaps zmm10,zmm0
    3ada:	vfmadd213ps zmm10,zmm6,zmm30
    3ae0:	vfmadd213ps zmm10,zmm6,zmm31
    3ae6:	vfmadd213ps zmm10,zmm6,zmm8
    3aec:	vfmadd213ps zmm10,zmm6,zmm9
    3af2:	vfmadd213ps zmm10,zmm6,zmm24
    3af8:	mov    rax,rsi
    3afb:	or     rax,0x3
    3aff:	lea    rax,[rax+rax*4]
    3b03:	shl    rax,0x6
    3b07:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x540],zmm5
    3b0f:	vpslld zmm6,zmm7,0x17
    3b16:	vpaddd zmm6,zmm6,zmm10
    3b1c:	vaddps zmm5,zmm5,zmm6
    3b22:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x580],zmm6
    3b2a:	vsubps zmm6,zmm13,zmm3
    3b30:	vmaxps zmm6,zmm27,zmm6
    3b36:	vaddps zmm7,zmm6,zmm28
    3b3c:	vaddps zmm10,zmm7,zmm29
    3b42:	vsubps zmm6,zmm6,zmm10
    3b48:	vmovaps zmm10,zmm0
    3b4e:	vfmadd213ps zmm10,zmm6,zmm30
    3b54:	vfmadd213ps zmm10,zmm6,zmm31
    3b5a:	vfmadd213ps zmm10,zmm6,zmm8
    3b60:	vfmadd213ps zmm10,zmm6,zmm9
    3b66:	vfmadd213ps zmm10,zmm6,zmm24
    3b6c:	vpslld zmm6,zmm7,0x17
    3b73:	vpaddd zmm6,zmm6,zmm10
    3b79:	vaddps zmm5,zmm5,zmm6
    3b7f:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x5c0],zmm6
    3b87:	vsubps zmm6,zmm12,zmm3
    3b8d:	vmaxps zmm6,zmm27,zmm6
    3b93:	vaddps zmm7,zmm6,zmm28
    3b99:	vaddps zmm10,zmm7,zmm29
    3b9f:	vsubps zmm6,zmm6,zmm10
    3ba5:	vmovaps zmm10,zmm0
    3bab:	vfmadd213ps zmm10,zmm6,zmm30
    3bb1:	vfmadd213ps zmm10,zmm6,zmm31
    3bb7:	vfmadd213ps zmm10,zmm6,zmm8
    3bbd:	vfmadd213ps zmm10,zmm6,zmm9
    3bc3:	vfmadd213ps zmm10,zmm6,zmm24
    3bc9:	vpslld zmm6,zmm7,0x17
    3bd0:	vpaddd zmm6,zmm6,zmm10
    3bd6:	vaddps zmm5,zmm5,zmm6
    3bdc:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x600],zmm6
    3be4:	vsubps zmm3,zmm22,zmm3
    3bea:	vmaxps zmm3,zmm27,zmm3
    3bf0:	vaddps zmm6,zmm3,zmm28
    3bf6:	vaddps zmm7,zmm6,zmm29
    3bfc:	vsubps zmm3,zmm3,zmm7
    3c02:	vfmadd213ps zmm0,zmm3,zmm30
    3c08:	vfmadd213ps zmm0,zmm3,zmm31
    3c0e:	vfmadd213ps zmm0,zmm3,zmm8
    3c14:	vfmadd213ps zmm0,zmm3,zmm9
    3c1a:	vfmadd213ps zmm0,zmm3,zmm24
    3c20:	vpslld zmm3,zmm6,0x17
    3c27:	vpaddd zmm0,zmm3,zmm0
    3c2d:	vinsertf64x4 zmm3,zmm1,ymm4,0x1
    3c34:	vshuff64x2 zmm1,zmm1,zmm4,0xee
    3c3b:	vaddps zmm4,zmm5,zmm0
    3c41:	vaddps zmm1,zmm3,zmm1
    3c47:	vextractf64x4 ymm3,zmm1,0x1
    3c4e:	vhaddps ymm1,ymm1,ymm3
    3c52:	vinsertf64x4 zmm3,zmm2,ymm4,0x1
    3c59:	vshuff64x2 zmm2,zmm2,zmm4,0xee
    3c60:	vaddps zmm2,zmm3,zmm2
    3c66:	vextractf64x4 ymm3,zmm2,0x1
    3c6d:	vhaddps ymm2,ymm2,ymm3
    3c71:	vpermpd ymm1,ymm1,0xd8
    3c77:	vpermpd ymm2,ymm2,0xd8
    3c7d:	vhaddps ymm1,ymm1,ymm2
    3c81:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x640],zmm0
    3c89:	vextractf128 xmm0,ymm1,0x1
    3c8f:	vhaddps xmm0,xmm1,xmm0
    3c93:	vpermilps xmm0,xmm0,0xd8
    3c99:	vdivps xmm0,xmm24,xmm0
    3c9f:	vmovaps XMMWORD PTR [rsp+rsi*4+0xc0],xmm0
    3ca8:	lea    rax,[rsi+0x4]
    3cac:	cmp    rsi,0xc
    3cb0:	mov    r10,QWORD PTR [rsp+0xb8]
    3cb8:	jb     2c50 <_pocl_kernel_attention_one_block_workgroup+0x2c0>
    3cbe:	mov    rax,QWORD PTR [rsp+0x30]
    3cc3:	mov    rcx,QWORD PTR [rsp+0x60]
    3cc8:	add    rax,rcx
    3ccb:	mov    QWORD PTR [rsp+0x28],rax
    3cd0:	mov    r9b,0x1
    3cd3:	xor    eax,eax
    3cd5:	mov    r8,QWORD PTR [rsp+0x50]
    3cda:	mov    r14,QWORD PTR [rsp+0x80]
    3ce2:	mov    r12,QWORD PTR [rsp+0x48]
    3ce7:	mov    r13,QWORD PTR [rsp+0x78]
    3cec:	mov    rbx,QWORD PTR [rsp+0x70]
    3cf1:	mov    rsi,QWORD PTR [rsp+0x68]
    3cf6:	jmp    3d15 <_pocl_kernel_attention_one_block_workgroup+0x1385>
    3cf8:	nop    DWORD PTR [rax+rax*1+0x0]
    3d00:	mov    eax,0x8
    3d05:	test   r9b,0x1
    3d09:	mov    r9d,0x0
    3d0f:	je     2c10 <_pocl_kernel_attention_one_block_workgroup+0x280>
    3d15:	test   r12d,r12d
    3d18:	jle    3ef0 <_pocl_kernel_attention_one_block_workgroup+0x1560>
    3d1e:	lea    rcx,[rax+rax*4]
    3d22:	shl    rcx,0x6
    3d26:	lea    rdi,[rsp+rcx*1]
    3d2a:	add    rdi,0x540
    3d31:	vxorps xmm12,xmm12,xmm12
    3d36:	vxorps xmm13,xmm13,xmm13
    3d3b:	xor    ecx,ecx
    3d3d:	vxorps xmm14,xmm14,xmm14
    3d42:	vxorps xmm15,xmm15,xmm15
    3d47:	vxorps xmm16,xmm16,xmm16
    3d4d:	vxorps xmm8,xmm8,xmm8
    3d52:	vxorps xmm9,xmm9,xmm9
    3d57:	vxorps xmm18,xmm18,xmm18
    3d5d:	vxorps xmm11,xmm11,xmm11
    3d62:	vxorps xmm0,xmm0,xmm0
    3d66:	vxorps xmm1,xmm1,xmm1
    3d6a:	vxorps xmm20,xmm20,xmm20
    3d70:	vxorps xmm21,xmm21,xmm21
    3d76:	vxorps xmm23,xmm23,xmm23
    3d7c:	vxorps xmm24,xmm24,xmm24
    3d82:	vxorps xmm25,xmm25,xmm25
    3d88:	vxorps xmm26,xmm26,xmm26
    3d8e:	vxorps xmm17,xmm17,xmm17
    3d94:	vxorps xmm10,xmm10,xmm10
    3d99:	vxorps xmm19,xmm19,xmm19
    3d9f:	vxorps xmm3,xmm3,xmm3
    3da3:	vxorps xmm22,xmm22,xmm22
    3da9:	vxorps xmm4,xmm4,xmm4
    3dad:	vxorps xmm27,xmm27,xmm27
    3db3:	data16 data16 data16 cs nop WORD PTR [rax+rax*1+0x0]
    3dc0:	vmovups zmm2,ZMMWORD PTR [r11+rcx*4]
    3dc7:	vmovups zmm5,ZMMWORD PTR [r11+rcx*4+0x40]
    3dcf:	vmovups ymm6,YMMWORD PTR [r11+rcx*4+0x80]
    3dd9:	vbroadcastss zmm7,DWORD PTR [rdi]
    3ddf:	vfmadd231ps zmm26,zmm7,zmm2
    3de5:	vfmadd231ps zmm25,zmm5,zmm7
    3deb:	vfmadd231ps ymm27,ymm6,DWORD BCST [rdi+r15*4]
    3df2:	vbroadcastss zmm7,DWORD PTR [rdi+0x140]
    3df9:	vfmadd231ps zmm24,zmm7,zmm2
    3dff:	vfmadd231ps zmm23,zmm5,zmm7
    3e05:	vfmadd231ps ymm4,ymm6,DWORD BCST [rdi+r15*4+0x140]
    3e0d:	vbroadcastss zmm7,DWORD PTR [rdi+0x280]
    3e17:	vfmadd231ps zmm21,zmm7,zmm2
    3e1d:	vfmadd231ps zmm20,zmm5,zmm7
    3e23:	vfmadd231ps ymm22,ymm6,DWORD BCST [rdi+r15*4+0x280]
    3e2e:	vbroadcastss zmm7,DWORD PTR [rdi+0x3c0]
    3e38:	vfmadd231ps zmm1,zmm7,zmm2
    3e3e:	vfmadd231ps zmm0,zmm5,zmm7
    3e44:	vfmadd231ps ymm3,ymm6,DWORD BCST [rdi+r15*4+0x3c0]
    3e4f:	vbroadcastss zmm7,DWORD PTR [rdi+0x500]
    3e59:	vfmadd231ps zmm11,zmm7,zmm2
    3e5f:	vfmadd231ps zmm18,zmm5,zmm7
    3e65:	vfmadd231ps ymm19,ymm6,DWORD BCST [rdi+r15*4+0x500]
    3e70:	vbroadcastss zmm7,DWORD PTR [rdi+0x640]
    3e7a:	vfmadd231ps zmm9,zmm7,zmm2
    3e80:	vfmadd231ps zmm8,zmm5,zmm7
    3e86:	vfmadd231ps ymm10,ymm6,DWORD BCST [rdi+r15*4+0x640]
    3e91:	vbroadcastss zmm7,DWORD PTR [rdi+0x780]
    3e9b:	vfmadd231ps zmm16,zmm7,zmm2
    3ea1:	vfmadd231ps zmm15,zmm5,zmm7
    3ea7:	vfmadd231ps ymm17,ymm6,DWORD BCST [rdi+r15*4+0x780]
    3eb2:	vbroadcastss zmm7,DWORD PTR [rdi+0x8c0]
    3ebc:	vfmadd231ps zmm14,zmm7,zmm2
    3ec2:	vfmadd231ps zmm13,zmm7,zmm5
    3ec8:	vfmadd231ps ymm12,ymm6,DWORD BCST [rdi+r15*4+0x8c0]
    3ed3:	add    rcx,0x28
    3ed7:	add    rdi,0x4
    3edb:	cmp    rsi,rcx
    3ede:	jne    3dc0 <_pocl_kernel_attention_one_block_workgroup+0x1430>
    3ee4:	jmp    3f70 <_pocl_kernel_attention_one_block_workgroup+0x15e0>
    3ee9:	nop    DWORD PTR [rax+0x0]
    3ef0:	vxorps xmm12,xmm12,xmm12
    3ef5:	vxorps xmm13,xmm13,xmm13
    3efa:	vxorps xmm14,xmm14,xmm14
    3eff:	vxorps xmm15,xmm15,xmm15
    3f04:	vxorps xmm16,xmm16,xmm16
    3f0a:	vxorps xmm8,xmm8,xmm8
    3f0f:	vxorps xmm9,xmm9,xmm9
    3f14:	vxorps xmm18,xmm18,xmm18
    3f1a:	vxorps xmm11,xmm11,xmm11
    3f1f:	vxorps xmm0,xmm0,xmm0
    3f23:	vxorps xmm1,xmm1,xmm1
    3f27:	vxorps xmm20,xmm20,xmm20
    3f2d:	vxorps xmm21,xmm21,xmm21
    3f33:	vxorps xmm23,xmm23,xmm23
    3f39:	vxorps xmm24,xmm24,xmm24
    3f3f:	vxorps xmm25,xmm25,xmm25
    3f45:	vxorps xmm26,xmm26,xmm26
    3f4b:	vxorps xmm17,xmm17,xmm17
    3f51:	vxorps xmm10,xmm10,xmm10
    3f56:	vxorps xmm19,xmm19,xmm19
    3f5c:	vxorps xmm3,xmm3,xmm3
    3f60:	vxorps xmm22,xmm22,xmm22
    3f66:	vxorps xmm4,xmm4,xmm4
    3f6a:	vxorps xmm27,xmm27,xmm27
    3f70:	mov    rcx,QWORD PTR [rsp+0x28]
    3f75:	lea    rdi,[rcx+rax*1]
    3f79:	mov    rcx,rax
    3f7c:	or     rcx,QWORD PTR [rsp+0x60]
    3f81:	cmp    rcx,r14
    3f84:	jge    3fec <_pocl_kernel_attention_one_block_workgroup+0x165c>
    3f86:	mov    rcx,rdi
    3f89:	imul   rcx,QWORD PTR [rsp+0x18]
    3f8f:	add    rcx,r13
    3f92:	lea    rcx,[rcx+rcx*4]
    3f96:	lea    rcx,[r8+rcx*8]
    3f9a:	vbroadcastss zmm2,DWORD PTR [rsp+rax*4+0xc0]
    3fa2:	vmulps zmm5,zmm26,zmm2
    3fa8:	vextractf32x4 XMMWORD PTR [rbx+rcx*4+0x10],zmm5,0x1
    3fb1:	vmovups XMMWORD PTR [rbx+rcx*4],xmm5
    3fb6:	vextractf64x4 YMMWORD PTR [rbx+rcx*4+0x20],zmm5,0x1
    3fbf:	vmulps zmm5,zmm25,zmm2
    3fc5:	vextractf32x4 XMMWORD PTR [rbx+rcx*4+0x50],zmm5,0x1
    3fce:	vmovups XMMWORD PTR [rbx+rcx*4+0x40],xmm5
    3fd4:	vextractf64x4 YMMWORD PTR [rbx+rcx*4+0x60],zmm5,0x1
    3fdd:	vmulps ymm2,ymm27,ymm2
    3fe3:	vmovups YMMWORD PTR [rbx+rcx*4+0x80],ymm2
    3fec:	mov    rcx,rax
    3fef:	or     rcx,0x1
    3ff3:	mov    edx,DWORD PTR [rsp+0x20]
    3ff7:	or     edx,ecx
    3ff9:	cmp    edx,r14d
    3ffc:	jge    4063 <_pocl_kernel_attention_one_block_workgroup+0x16d3>
    3ffe:	lea    rdx,[rdi+0x1]
    4002:	imul   rdx,QWORD PTR [rsp+0x18]
    4008:	add    rdx,r13
    400b:	lea    rdx,[rdx+rdx*4]
    400f:	lea    rdx,[r8+rdx*8]
    4013:	vbroadcastss zmm2,DWORD PTR [rsp+rcx*4+0xc0]
    401b:	vmulps zmm5,zmm24,zmm2
    4021:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x10],zmm5,0x1
    402a:	vmovups XMMWORD PTR [rbx+rdx*4],xmm5
    402f:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x20],zmm5,0x1
    4038:	vmulps zmm5,zmm23,zmm2
    403e:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x50],zmm5,0x1
    4047:	vmovups XMMWORD PTR [rbx+rdx*4+0x40],xmm5
    404d:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x60],zmm5,0x1
    4056:	vmulps ymm2,ymm4,ymm2
    405a:	vmovups YMMWORD PTR [rbx+rdx*4+0x80],ymm2
    4063:	mov    rcx,rax
    4066:	or     rcx,0x2
    406a:	mov    edx,DWORD PTR [rsp+0x20]
    406e:	or     edx,ecx
    4070:	cmp    edx,r14d
    4073:	jge    40dc <_pocl_kernel_attention_one_block_workgroup+0x174c>
    4075:	lea    rdx,[rdi+0x2]
    4079:	imul   rdx,QWORD PTR [rsp+0x18]
    407f:	add    rdx,r13
    4082:	lea    rdx,[rdx+rdx*4]
    4086:	lea    rdx,[r8+rdx*8]
    408a:	vbroadcastss zmm2,DWORD PTR [rsp+rcx*4+0xc0]
    4092:	vmulps zmm4,zmm21,zmm2
    4098:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x10],zmm4,0x1
    40a1:	vmovups XMMWORD PTR [rbx+rdx*4],xmm4
    40a6:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x20],zmm4,0x1
    40af:	vmulps zmm4,zmm20,zmm2
    40b5:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x50],zmm4,0x1
    40be:	vmovups XMMWORD PTR [rbx+rdx*4+0x40],xmm4
    40c4:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x60],zmm4,0x1
    40cd:	vmulps ymm2,ymm22,ymm2
    40d3:	vmovups YMMWORD PTR [rbx+rdx*4+0x80],ymm2
    40dc:	mov    rcx,rax
    40df:	or     rcx,0x3
    40e3:	mov    edx,DWORD PTR [rsp+0x20]
    40e7:	or     edx,ecx
    40e9:	cmp    edx,r14d
    40ec:	jge    4153 <_pocl_kernel_attention_one_block_workgroup+0x17c3>
    40ee:	lea    rdx,[rdi+0x3]
    40f2:	imul   rdx,QWORD PTR [rsp+0x18]
    40f8:	add    rdx,r13
    40fb:	lea    rdx,[rdx+rdx*4]
    40ff:	lea    rdx,[r8+rdx*8]
    4103:	vbroadcastss zmm2,DWORD PTR [rsp+rcx*4+0xc0]
    410b:	vmulps zmm1,zmm1,zmm2
    4111:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x10],zmm1,0x1
    411a:	vmovups XMMWORD PTR [rbx+rdx*4],xmm1
    411f:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x20],zmm1,0x1
    4128:	vmulps zmm0,zmm0,zmm2
    412e:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x50],zmm0,0x1
    4137:	vmovups XMMWORD PTR [rbx+rdx*4+0x40],xmm0
    413d:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x60],zmm0,0x1
    4146:	vmulps ymm0,ymm3,ymm2
    414a:	vmovups YMMWORD PTR [rbx+rdx*4+0x80],ymm0
    4153:	mov    rcx,rax
    4156:	or     rcx,0x4
    415a:	mov    edx,DWORD PTR [rsp+0x20]
    415e:	or     edx,ecx
    4160:	cmp    edx,r14d
    4163:	jge    41cc <_pocl_kernel_attention_one_block_workgroup+0x183c>
    4165:	lea    rdx,[rdi+0x4]
    4169:	imul   rdx,QWORD PTR [rsp+0x18]
    416f:	add    rdx,r13
    4172:	lea    rdx,[rdx+rdx*4]
    4176:	lea    rdx,[r8+rdx*8]
    417a:	vbroadcastss zmm0,DWORD PTR [rsp+rcx*4+0xc0]
    4182:	vmulps zmm1,zmm11,zmm0
    4188:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x10],zmm1,0x1
    4191:	vmovups XMMWORD PTR [rbx+rdx*4],xmm1
    4196:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x20],zmm1,0x1
    419f:	vmulps zmm1,zmm18,zmm0
    41a5:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x50],zmm1,0x1
    41ae:	vmovups XMMWORD PTR [rbx+rdx*4+0x40],xmm1
    41b4:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x60],zmm1,0x1
    41bd:	vmulps ymm0,ymm19,ymm0
    41c3:	vmovups YMMWORD PTR [rbx+rdx*4+0x80],ymm0
    41cc:	mov    rcx,rax
    41cf:	or     rcx,0x5
    41d3:	mov    edx,DWORD PTR [rsp+0x20]
    41d7:	or     edx,ecx
    41d9:	cmp    edx,r14d
    41dc:	jge    4243 <_pocl_kernel_attention_one_block_workgroup+0x18b3>
    41de:	lea    rdx,[rdi+0x5]
    41e2:	imul   rdx,QWORD PTR [rsp+0x18]
    41e8:	add    rdx,r13
    41eb:	lea    rdx,[rdx+rdx*4]
    41ef:	lea    rdx,[r8+rdx*8]
    41f3:	vbroadcastss zmm0,DWORD PTR [rsp+rcx*4+0xc0]
    41fb:	vmulps zmm1,zmm9,zmm0
    4201:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x10],zmm1,0x1
    420a:	vmovups XMMWORD PTR [rbx+rdx*4],xmm1
    420f:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x20],zmm1,0x1
    4218:	vmulps zmm1,zmm8,zmm0
    421e:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x50],zmm1,0x1
    4227:	vmovups XMMWORD PTR [rbx+rdx*4+0x40],xmm1
    422d:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x60],zmm1,0x1
    4236:	vmulps ymm0,ymm10,ymm0
    423a:	vmovups YMMWORD PTR [rbx+rdx*4+0x80],ymm0
    4243:	mov    rcx,rax
    4246:	or     rcx,0x6
    424a:	mov    edx,DWORD PTR [rsp+0x20]
    424e:	or     edx,ecx
    4250:	cmp    edx,r14d
    4253:	jge    42bc <_pocl_kernel_attention_one_block_workgroup+0x192c>
    4255:	lea    rdx,[rdi+0x6]
    4259:	imul   rdx,QWORD PTR [rsp+0x18]
    425f:	add    rdx,r13
    4262:	lea    rdx,[rdx+rdx*4]
    4266:	lea    rdx,[r8+rdx*8]
    426a:	vbroadcastss zmm0,DWORD PTR [rsp+rcx*4+0xc0]
    4272:	vmulps zmm1,zmm16,zmm0
    4278:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x10],zmm1,0x1
    4281:	vmovups XMMWORD PTR [rbx+rdx*4],xmm1
    4286:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x20],zmm1,0x1
    428f:	vmulps zmm1,zmm15,zmm0
    4295:	vextractf32x4 XMMWORD PTR [rbx+rdx*4+0x50],zmm1,0x1
    429e:	vmovups XMMWORD PTR [rbx+rdx*4+0x40],xmm1
    42a4:	vextractf64x4 YMMWORD PTR [rbx+rdx*4+0x60],zmm1,0x1
    42ad:	vmulps ymm0,ymm17,ymm0
    42b3:	vmovups YMMWORD PTR [rbx+rdx*4+0x80],ymm0
    42bc:	or     rax,0x7
    42c0:	mov    ecx,DWORD PTR [rsp+0x20]
    42c4:	or     ecx,eax
    42c6:	cmp    ecx,r14d
    42c9:	jge    3d00 <_pocl_kernel_attention_one_block_workgroup+0x1370>
    42cf:	add    rdi,0x7
    42d3:	imul   rdi,QWORD PTR [rsp+0x18]
    42d9:	add    rdi,r13
    42dc:	lea    rcx,[rdi+rdi*4]
    42e0:	lea    rcx,[r8+rcx*8]
    42e4:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xc0]
    42ec:	vmulps zmm1,zmm14,zmm0
    42f2:	vextractf32x4 XMMWORD PTR [rbx+rcx*4+0x10],zmm1,0x1
    42fb:	vmovups XMMWORD PTR [rbx+rcx*4],xmm1
    4300:	vextractf64x4 YMMWORD PTR [rbx+rcx*4+0x20],zmm1,0x1
    4309:	vmulps zmm1,zmm13,zmm0
    430f:	vextractf32x4 XMMWORD PTR [rbx+rcx*4+0x50],zmm1,0x1
    4318:	vmovups XMMWORD PTR [rbx+rcx*4+0x40],xmm1
    431e:	vextractf64x4 YMMWORD PTR [rbx+rcx*4+0x60],zmm1,0x1
    4327:	vmulps ymm0,ymm12,ymm0
    432b:	vmovups YMMWORD PTR [rbx+rcx*4+0x80],ymm0
    4334:	jmp    3d00 <_pocl_kernel_attention_one_block_workgroup+0x1370>
    4339:	lea    rsp,[rbp-0x28]
    433d:	pop    rbx
    433e:	pop    r12
    4340:	pop    r13
    4342:	pop    r14
    4344:	pop    r15
    4346:	pop    rbp
    4347:	vzeroupper
    434a:	ret
    434b:	nop    DWORD PTR [rax+rax*1+0x0]

0000000000004350 <_pocl_kernel_attention_one_block_workgroup_fast>:
    4350:	push   rbp
    4351:	mov    rbp,rsp
    4354:	push   r15
    4356:	push   r14
    4358:	push   r13
    435a:	push   r12
    435c:	push   rbx
    435d:	and    rsp,0xffffffffffffffc0
    4361:	sub    rsp,0x19c0
    4368:	mov    rsi,r8
    436b:	mov    QWORD PTR [rsp+0x50],r8
    4370:	mov    r12,rdx
    4373:	mov    rax,QWORD PTR [rdi+0x8]
    4377:	movsxd r13,DWORD PTR [rax]
    437a:	mov    rax,QWORD PTR [rdi+0x18]
    437e:	movsxd rax,DWORD PTR [rax]
    4381:	mov    QWORD PTR [rsp+0x38],rax
    4386:	mov    rax,QWORD PTR [rdi+0x28]
    438a:	movsxd rax,DWORD PTR [rax]
    438d:	mov    QWORD PTR [rsp+0x40],rax
    4392:	mov    rax,QWORD PTR [rdi+0x38]
    4396:	movsxd r9,DWORD PTR [rax]
    4399:	mov    rax,QWORD PTR [rdi+0x40]
    439d:	movsxd r8,DWORD PTR [rax]
    43a0:	mov    rax,QWORD PTR [rdi+0x48]
    43a4:	mov    eax,DWORD PTR [rax]
    43a6:	mov    QWORD PTR [rsp+0x68],rax
    43ab:	mov    rax,QWORD PTR [rdi+0x50]
    43af:	movsxd r10,DWORD PTR [rax]
    43b2:	mov    rax,QWORD PTR [rdi+0x58]
    43b6:	movsxd rax,DWORD PTR [rax]
    43b9:	mov    QWORD PTR [rsp+0x70],rax
    43be:	mov    rax,QWORD PTR [rdi+0x70]
    43c2:	vmovss xmm0,DWORD PTR [rax]
    43c6:	mov    rax,QWORD PTR [rdi+0x60]
    43ca:	movsxd r15,DWORD PTR [rax]
    43cd:	mov    eax,esi
    43cf:	cdq
    43d0:	mov    rsi,QWORD PTR [rdi]
    43d3:	mov    r14,QWORD PTR [rdi+0x10]
    43d7:	mov    rbx,QWORD PTR [rdi+0x20]
    43db:	mov    QWORD PTR [rsp+0x48],rbx
    43e0:	mov    rbx,QWORD PTR [rdi+0x68]
    43e4:	idiv   DWORD PTR [rbx]
    43e6:	mov    DWORD PTR [rsp+0x140],edx
    43ed:	shl    r9,0x2
    43f1:	add    r9,QWORD PTR [rdi+0x30]
    43f5:	lea    eax,[r12+0x1]
    43fa:	cdq
    43fb:	idiv   r10d
    43fe:	shl    ecx,0x4
    4401:	test   edx,edx
    4403:	lea    r11d,[rcx+rcx*2]
    4407:	lea    eax,[rcx+rcx*2+0x30]
    440b:	cmovne eax,r11d
    440f:	movsxd rbx,r12d
    4412:	shl    r12,0x23
    4416:	lea    rdi,[r12+r12*4]
    441a:	mov    r12,QWORD PTR [rsp+0x68]
    441f:	sar    rdi,0x20
    4423:	mov    rcx,QWORD PTR [rsp+0x38]
    4428:	add    rdi,rcx
    442b:	mov    QWORD PTR [rsp+0xc8],r14
    4433:	lea    rcx,[r14+rcx*4]
    4437:	add    rdi,r15
    443a:	mov    QWORD PTR [rsp+0xd0],rdi
    4442:	lea    rcx,[rcx+r15*4]
    4446:	mov    r15,rbx
    4449:	movsxd rdi,edx
    444c:	lea    edx,[rdi*8+0x0]
    4453:	lea    edx,[rdx+rdx*4]
    4456:	movsxd rdx,edx
    4459:	lea    rcx,[rcx+rdx*4]
    445d:	mov    QWORD PTR [rsp+0xc0],rcx
    4465:	vpbroadcastd xmm1,eax
    446b:	vmovdqa XMMWORD PTR [rsp+0x130],xmm1
    4474:	vpbroadcastq ymm1,rdi
    447a:	vmovdqa YMMWORD PTR [rsp+0x220],ymm1
    4483:	movsxd rax,DWORD PTR [rsp+0x140]
    448b:	imul   rax,r10
    448f:	add    rax,rbx
    4492:	imul   rax,rax,0x3200
    4499:	add    r9,rax
    449c:	mov    rcx,QWORD PTR [rsp+0x40]
    44a1:	lea    rax,[rax+rcx*4]
    44a5:	mov    rcx,QWORD PTR [rsp+0x48]
    44aa:	add    rax,rcx
    44ad:	add    rax,0x4f8
    44b3:	mov    QWORD PTR [rsp+0xb8],rax
    44bb:	vpbroadcastd zmm1,r12d
    44c1:	movsxd rcx,DWORD PTR [rsp+0x50]
    44c6:	imul   rcx,r8
    44ca:	vmulss xmm0,xmm0,DWORD PTR [rip+0x1b2e]        # 6000 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb0>
    44d2:	vbroadcastss zmm0,xmm0
    44d8:	vmovaps ZMMWORD PTR [rsp+0x540],zmm0
    44e0:	mov    eax,r12d
    44e3:	sar    eax,0x1e
    44e6:	movsxd r14,eax
    44e9:	lea    eax,[r8-0x1]
    44ed:	mov    DWORD PTR [rsp+0x64],eax
    44f1:	vpbroadcastd xmm0,eax
    44f7:	vmovdqa XMMWORD PTR [rsp+0x120],xmm0
    4500:	mov    rax,rcx
    4503:	mov    QWORD PTR [rsp+0x50],rcx
    4508:	vpbroadcastq ymm0,rcx
    450e:	vmovdqa YMMWORD PTR [rsp+0x200],ymm0
    4517:	mov    QWORD PTR [rsp+0x38],r10
    451c:	vpbroadcastq ymm0,r10
    4522:	vmovdqa YMMWORD PTR [rsp+0x1e0],ymm0
    452b:	mov    rax,QWORD PTR [rsp+0x70]
    4530:	vpbroadcastq ymm0,rax
    4536:	vmovdqa YMMWORD PTR [rsp+0x1c0],ymm0
    453f:	mov    rax,r12
    4542:	shl    rax,0x3
    4546:	vbroadcastsd ymm0,QWORD PTR [rip+0x1ae9]        # 6038 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce8>
    454f:	vmovaps YMMWORD PTR [rsp+0x1a0],ymm0
    4558:	vpcmpgtd k1,zmm1,ZMMWORD PTR [rip+0x1c5e]        # 61c0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1e70>
    4562:	lea    rbx,[rax+rax*4]
    4566:	lea    rax,[rsi+r13*4]
    456a:	mov    QWORD PTR [rsp+0xb0],rax
    4572:	mov    QWORD PTR [rsp+0x58],r11
    4577:	movsxd rax,r11d
    457a:	mov    QWORD PTR [rsp+0xa8],rax
    4582:	xor    r11d,r11d
    4585:	mov    QWORD PTR [rsp+0xa0],r13
    458d:	mov    QWORD PTR [rsp+0x98],r8
    4595:	mov    QWORD PTR [rsp+0x90],r15
    459d:	mov    QWORD PTR [rsp+0x88],rsi
    45a5:	mov    QWORD PTR [rsp+0x80],rbx
    45ad:	vbroadcastss zmm29,DWORD PTR [rip+0x1a59]        # 6010 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc0>
    45b7:	vbroadcastss zmm30,DWORD PTR [rip+0x1a53]        # 6014 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc4>
    45c1:	vbroadcastss zmm31,DWORD PTR [rip+0x1a51]        # 601c <_pocl_kernel_attention_one_block_workgroup_fast+0x1ccc>
    45cb:	jmp    45e1 <_pocl_kernel_attention_one_block_workgroup_fast+0x291>
    45cd:	nop    DWORD PTR [rax]
    45d0:	lea    rax,[r11+0x10]
    45d4:	cmp    r11,0x20
    45d8:	mov    r11,rax
    45db:	jae    5d41 <_pocl_kernel_attention_one_block_workgroup_fast+0x19f1>
    45e1:	mov    rax,QWORD PTR [rsp+0xa8]
    45e9:	add    rax,r11
    45ec:	mov    QWORD PTR [rsp+0x78],rax
    45f1:	cmp    rax,r8
    45f4:	jge    5d41 <_pocl_kernel_attention_one_block_workgroup_fast+0x19f1>
    45fa:	mov    rax,QWORD PTR [rsp+0x58]
    45ff:	add    eax,r11d
    4602:	mov    DWORD PTR [rsp+0x40],eax
    4606:	xor    eax,eax
    4608:	mov    QWORD PTR [rsp+0xd8],r11
    4610:	mov    QWORD PTR [rsp+0x48],rax
    4615:	lea    ebx,[rax+r11*1]
    4619:	mov    rcx,QWORD PTR [rsp+0x58]
    461e:	lea    eax,[rcx+rbx*1]
    4621:	mov    rdx,rcx
    4624:	mov    r8d,DWORD PTR [rsp+0x64]
    4629:	cmp    eax,r8d
    462c:	cmovge eax,r8d
    4630:	movsxd r12,eax
    4633:	mov    r10,QWORD PTR [rsp+0x50]
    4638:	add    r12,r10
    463b:	mov    rsi,r10
    463e:	mov    r15,QWORD PTR [rsp+0x70]
    4643:	imul   r12,r15
    4647:	mov    r10,QWORD PTR [rsp+0xd0]
    464f:	add    r12,r10
    4652:	mov    eax,ebx
    4654:	or     eax,0x1
    4657:	add    ecx,eax
    4659:	cmp    ecx,r8d
    465c:	cmovge ecx,r8d
    4660:	movsxd rdi,ecx
    4663:	add    rdi,rsi
    4666:	imul   rdi,r15
    466a:	add    rdi,r10
    466d:	mov    r13d,ebx
    4670:	or     r13d,0x2
    4674:	lea    ecx,[rdx+r13*1]
    4678:	cmp    ecx,r8d
    467b:	cmovge ecx,r8d
    467f:	vmovd  xmm0,ebx
    4683:	vpinsrd xmm0,xmm0,eax,0x1
    4689:	or     ebx,0x3
    468c:	vpinsrd xmm0,xmm0,r13d,0x2
    4692:	vpinsrd xmm0,xmm0,ebx,0x3
    4698:	vpaddd xmm0,xmm0,XMMWORD PTR [rsp+0x130]
    46a1:	vpminsd xmm0,xmm0,XMMWORD PTR [rsp+0x120]
    46ab:	vpmovsxdq ymm0,xmm0
    46b0:	vpaddq ymm0,ymm0,YMMWORD PTR [rsp+0x200]
    46b9:	vpmullq ymm1,ymm0,YMMWORD PTR [rsp+0x1e0]
    46c1:	vpaddq ymm1,ymm1,YMMWORD PTR [rsp+0x220]
    46ca:	vpmullq ymm1,ymm1,YMMWORD PTR [rsp+0x1a0]
    46d2:	vmovq  rax,xmm1
    46d7:	mov    r11,QWORD PTR [rsp+0xb0]
    46df:	prefetchw BYTE PTR [r11+rax*4]
    46e4:	vpmullq ymm0,ymm0,YMMWORD PTR [rsp+0x1c0]
    46ec:	vmovq  rsi,xmm0
    46f1:	mov    rdx,QWORD PTR [rsp+0xc0]
    46f9:	prefetcht0 BYTE PTR [rdx+rsi*4]
    46fd:	prefetchw BYTE PTR [r11+rax*4+0x40]
    4703:	prefetcht0 BYTE PTR [rdx+rsi*4+0x40]
    4708:	prefetchw BYTE PTR [r11+rax*4+0x80]
    4711:	prefetcht0 BYTE PTR [rdx+rsi*4+0x80]
    4719:	vpextrq r13,xmm1,0x1
    471f:	mov    rsi,QWORD PTR [rsp+0xc8]
    4727:	vmovaps zmm2,ZMMWORD PTR [rsp+0x540]
    472f:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+r12*4]
    4736:	vmovaps ZMMWORD PTR [rsp+0x240],zmm3
    473e:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+r12*4+0x40]
    4746:	vmovaps ZMMWORD PTR [rsp+0x280],zmm3
    474e:	vmovups xmm3,XMMWORD PTR [rsi+r12*4+0x80]
    4758:	vinsertf32x4 zmm3,zmm3,XMMWORD PTR [rsi+r12*4+0x90],0x1
    4761:	vmovaps ymm3,ymm3
    4765:	vmulps zmm3,zmm2,zmm3
    476b:	vmovaps ZMMWORD PTR [rsp+0x2c0],zmm3
    4773:	vpextrq rax,xmm0,0x1
    4779:	prefetchw BYTE PTR [r11+r13*4]
    477e:	prefetcht0 BYTE PTR [rdx+rax*4]
    4782:	prefetchw BYTE PTR [r11+r13*4+0x40]
    4788:	prefetcht0 BYTE PTR [rdx+rax*4+0x40]
    478d:	prefetchw BYTE PTR [r11+r13*4+0x80]
    4796:	vextracti128 xmm1,ymm1,0x1
    479c:	prefetcht0 BYTE PTR [rdx+rax*4+0x80]
    47a4:	vmovq  rax,xmm1
    47a9:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+rdi*4]
    47b0:	vmovaps ZMMWORD PTR [rsp+0x300],zmm3
    47b8:	vmulps zmm3,zmm2,ZMMWORD PTR [rsi+rdi*4+0x40]
    47c0:	vmovaps ZMMWORD PTR [rsp+0x340],zmm3
    47c8:	vmovups xmm3,XMMWORD PTR [rsi+rdi*4+0x80]
    47d1:	vinsertf32x4 zmm3,zmm3,XMMWORD PTR [rsi+rdi*4+0x90],0x1
    47da:	vmovaps ymm3,ymm3
    47de:	vmulps zmm3,zmm2,zmm3
    47e4:	vmovaps ZMMWORD PTR [rsp+0x380],zmm3
    47ec:	vextracti128 xmm0,ymm0,0x1
    47f2:	vmovq  rdi,xmm0
    47f7:	prefetchw BYTE PTR [r11+rax*4]
    47fc:	prefetcht0 BYTE PTR [rdx+rdi*4]
    4800:	prefetchw BYTE PTR [r11+rax*4+0x40]
    4806:	prefetcht0 BYTE PTR [rdx+rdi*4+0x40]
    480b:	prefetchw BYTE PTR [r11+rax*4+0x80]
    4814:	movsxd rax,ecx
    4817:	mov    r12,QWORD PTR [rsp+0x50]
    481c:	add    rax,r12
    481f:	imul   rax,r15
    4823:	add    rax,r10
    4826:	prefetcht0 BYTE PTR [rdx+rdi*4+0x80]
    482e:	vpextrq rcx,xmm1,0x1
    4834:	vmulps zmm1,zmm2,ZMMWORD PTR [rsi+rax*4]
    483b:	vmovaps ZMMWORD PTR [rsp+0x3c0],zmm1
    4843:	vmulps zmm1,zmm2,ZMMWORD PTR [rsi+rax*4+0x40]
    484b:	vmovaps ZMMWORD PTR [rsp+0x400],zmm1
    4853:	vmovups xmm1,XMMWORD PTR [rsi+rax*4+0x80]
    485c:	vinsertf32x4 zmm1,zmm1,XMMWORD PTR [rsi+rax*4+0x90],0x1
    4865:	vmovaps ymm1,ymm1
    4869:	vmulps zmm1,zmm2,zmm1
    486f:	vmovaps ZMMWORD PTR [rsp+0x440],zmm1
    4877:	vpextrq rax,xmm0,0x1
    487d:	prefetchw BYTE PTR [r11+rcx*4]
    4882:	prefetcht0 BYTE PTR [rdx+rax*4]
    4886:	prefetchw BYTE PTR [r11+rcx*4+0x40]
    488c:	prefetcht0 BYTE PTR [rdx+rax*4+0x40]
    4891:	prefetchw BYTE PTR [r11+rcx*4+0x80]
    489a:	mov    rcx,QWORD PTR [rsp+0x58]
    489f:	add    ecx,ebx
    48a1:	cmp    ecx,r8d
    48a4:	cmovge ecx,r8d
    48a8:	movsxd rcx,ecx
    48ab:	prefetcht0 BYTE PTR [rdx+rax*4+0x80]
    48b3:	add    rcx,r12
    48b6:	imul   rcx,r15
    48ba:	add    rcx,r10
    48bd:	vmulps zmm0,zmm2,ZMMWORD PTR [rsi+rcx*4]
    48c4:	vmovaps ZMMWORD PTR [rsp+0x480],zmm0
    48cc:	vmulps zmm0,zmm2,ZMMWORD PTR [rsi+rcx*4+0x40]
    48d4:	vmovaps ZMMWORD PTR [rsp+0x4c0],zmm0
    48dc:	vmovups xmm0,XMMWORD PTR [rsi+rcx*4+0x80]
    48e5:	vinsertf32x4 zmm0,zmm0,XMMWORD PTR [rsi+rcx*4+0x90],0x1
    48ee:	vmovaps ymm0,ymm0
    48f2:	vmulps zmm0,zmm2,zmm0
    48f8:	vmovaps ZMMWORD PTR [rsp+0x500],zmm0
    4900:	vxorps xmm3,xmm3,xmm3
    4904:	mov    rax,0xffffffffffffff60
    490b:	mov    rdi,QWORD PTR [rsp+0xb8]
    4913:	vxorps xmm12,xmm12,xmm12
    4918:	vxorps xmm13,xmm13,xmm13
    491d:	vxorps xmm14,xmm14,xmm14
    4922:	vxorps xmm15,xmm15,xmm15
    4927:	vxorps xmm0,xmm0,xmm0
    492b:	vxorps xmm16,xmm16,xmm16
    4931:	vxorps xmm17,xmm17,xmm17
    4937:	vxorps xmm18,xmm18,xmm18
    493d:	vxorps xmm19,xmm19,xmm19
    4943:	vxorps xmm9,xmm9,xmm9
    4948:	vxorps xmm20,xmm20,xmm20
    494e:	vxorps xmm21,xmm21,xmm21
    4954:	vxorps xmm23,xmm23,xmm23
    495a:	vxorps xmm25,xmm25,xmm25
    4960:	vxorps xmm24,xmm24,xmm24
    4966:	vxorps xmm10,xmm10,xmm10
    496b:	vxorps xmm11,xmm11,xmm11
    4970:	vxorps xmm1,xmm1,xmm1
    4974:	vxorps xmm8,xmm8,xmm8
    4979:	nop    DWORD PTR [rax+0x0]
    4980:	vmovups zmm4,ZMMWORD PTR [rdi-0x4f8]
    498a:	vmovups zmm5,ZMMWORD PTR [rdi-0x4b8]
    4994:	vmovups zmm6,ZMMWORD PTR [rdi-0x478]
    499e:	vmovups zmm22,ZMMWORD PTR [rdi-0x438]
    49a8:	vmovups zmm26,ZMMWORD PTR [rdi-0x3f8]
    49b2:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x2e0]
    49bd:	vfmadd231ps zmm8,zmm27,zmm4
    49c3:	vfmadd231ps zmm1,zmm27,zmm5
    49c9:	vfmadd231ps zmm11,zmm27,zmm6
    49cf:	vfmadd231ps zmm10,zmm27,zmm22
    49d5:	vfmadd231ps zmm24,zmm26,zmm27
    49db:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x3a0]
    49e6:	vfmadd231ps zmm25,zmm27,zmm4
    49ec:	vfmadd231ps zmm23,zmm27,zmm5
    49f2:	vfmadd231ps zmm21,zmm27,zmm6
    49f8:	vfmadd231ps zmm20,zmm27,zmm22
    49fe:	vfmadd231ps zmm9,zmm26,zmm27
    4a04:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x460]
    4a0f:	vfmadd231ps zmm19,zmm27,zmm4
    4a15:	vfmadd231ps zmm18,zmm27,zmm5
    4a1b:	vfmadd231ps zmm17,zmm27,zmm6
    4a21:	vfmadd231ps zmm16,zmm27,zmm22
    4a27:	vfmadd231ps zmm0,zmm26,zmm27
    4a2d:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x520]
    4a38:	vfmadd231ps zmm15,zmm27,zmm4
    4a3e:	vfmadd231ps zmm14,zmm27,zmm5
    4a44:	vfmadd231ps zmm13,zmm27,zmm6
    4a4a:	vfmadd231ps zmm12,zmm27,zmm22
    4a50:	vfmadd231ps zmm3,zmm27,zmm26
    4a56:	vmovups zmm4,ZMMWORD PTR [rdi-0x3b8]
    4a60:	vmovups zmm5,ZMMWORD PTR [rdi-0x378]
    4a6a:	vmovups zmm6,ZMMWORD PTR [rdi-0x338]
    4a74:	vmovups zmm22,ZMMWORD PTR [rdi-0x2f8]
    4a7e:	vmovups zmm26,ZMMWORD PTR [rdi-0x2b8]
    4a88:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x2e4]
    4a93:	vfmadd231ps zmm8,zmm27,zmm4
    4a99:	vfmadd231ps zmm1,zmm27,zmm5
    4a9f:	vfmadd231ps zmm11,zmm27,zmm6
    4aa5:	vfmadd231ps zmm10,zmm27,zmm22
    4aab:	vfmadd231ps zmm24,zmm26,zmm27
    4ab1:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x3a4]
    4abc:	vfmadd231ps zmm25,zmm27,zmm4
    4ac2:	vfmadd231ps zmm23,zmm27,zmm5
    4ac8:	vfmadd231ps zmm21,zmm27,zmm6
    4ace:	vfmadd231ps zmm20,zmm27,zmm22
    4ad4:	vfmadd231ps zmm9,zmm26,zmm27
    4ada:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x464]
    4ae5:	vfmadd231ps zmm19,zmm27,zmm4
    4aeb:	vfmadd231ps zmm18,zmm27,zmm5
    4af1:	vfmadd231ps zmm17,zmm27,zmm6
    4af7:	vfmadd231ps zmm16,zmm27,zmm22
    4afd:	vbroadcastss zmm28,DWORD PTR [rsp+rax*1+0x524]
    4b08:	vfmadd231ps zmm0,zmm26,zmm27
    4b0e:	vfmadd231ps zmm15,zmm28,zmm4
    4b14:	vfmadd231ps zmm14,zmm28,zmm5
    4b1a:	vfmadd231ps zmm13,zmm28,zmm6
    4b20:	vfmadd231ps zmm12,zmm28,zmm22
    4b26:	vfmadd231ps zmm3,zmm28,zmm26
    4b2c:	vmovups zmm4,ZMMWORD PTR [rdi-0x278]
    4b36:	vmovups zmm5,ZMMWORD PTR [rdi-0x238]
    4b40:	vmovups zmm6,ZMMWORD PTR [rdi-0x1f8]
    4b4a:	vmovups zmm22,ZMMWORD PTR [rdi-0x1b8]
    4b54:	vmovups zmm26,ZMMWORD PTR [rdi-0x178]
    4b5e:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x2e8]
    4b69:	vfmadd231ps zmm8,zmm27,zmm4
    4b6f:	vfmadd231ps zmm1,zmm27,zmm5
    4b75:	vfmadd231ps zmm11,zmm27,zmm6
    4b7b:	vfmadd231ps zmm10,zmm27,zmm22
    4b81:	vbroadcastss zmm28,DWORD PTR [rsp+rax*1+0x3a8]
    4b8c:	vfmadd231ps zmm24,zmm26,zmm27
    4b92:	vfmadd231ps zmm25,zmm28,zmm4
    4b98:	vfmadd231ps zmm23,zmm28,zmm5
    4b9e:	vfmadd231ps zmm21,zmm28,zmm6
    4ba4:	vfmadd231ps zmm20,zmm28,zmm22
    4baa:	vfmadd231ps zmm9,zmm26,zmm28
    4bb0:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x468]
    4bbb:	vfmadd231ps zmm19,zmm27,zmm4
    4bc1:	vfmadd231ps zmm18,zmm27,zmm5
    4bc7:	vfmadd231ps zmm17,zmm27,zmm6
    4bcd:	vfmadd231ps zmm16,zmm27,zmm22
    4bd3:	vfmadd231ps zmm0,zmm26,zmm27
    4bd9:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x528]
    4be4:	vfmadd231ps zmm15,zmm27,zmm4
    4bea:	vfmadd231ps zmm14,zmm27,zmm5
    4bf0:	vfmadd231ps zmm13,zmm27,zmm6
    4bf6:	vfmadd231ps zmm12,zmm27,zmm22
    4bfc:	vfmadd231ps zmm3,zmm27,zmm26
    4c02:	vmovups zmm4,ZMMWORD PTR [rdi-0x138]
    4c0c:	vmovups zmm5,ZMMWORD PTR [rdi-0xf8]
    4c16:	vmovups zmm6,ZMMWORD PTR [rdi-0xb8]
    4c20:	vmovups zmm22,ZMMWORD PTR [rdi-0x78]
    4c2a:	vmovups zmm26,ZMMWORD PTR [rdi-0x38]
    4c34:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x2ec]
    4c3f:	vfmadd231ps zmm8,zmm27,zmm4
    4c45:	vfmadd231ps zmm1,zmm27,zmm5
    4c4b:	vfmadd231ps zmm11,zmm27,zmm6
    4c51:	vfmadd231ps zmm10,zmm27,zmm22
    4c57:	vfmadd231ps zmm24,zmm26,zmm27
    4c5d:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x3ac]
    4c68:	vfmadd231ps zmm25,zmm27,zmm4
    4c6e:	vfmadd231ps zmm23,zmm27,zmm5
    4c74:	vfmadd231ps zmm21,zmm27,zmm6
    4c7a:	vfmadd231ps zmm20,zmm27,zmm22
    4c80:	vfmadd231ps zmm9,zmm26,zmm27
    4c86:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x46c]
    4c91:	vfmadd231ps zmm19,zmm27,zmm4
    4c97:	vfmadd231ps zmm18,zmm27,zmm5
    4c9d:	vfmadd231ps zmm17,zmm27,zmm6
    4ca3:	vfmadd231ps zmm16,zmm27,zmm22
    4ca9:	vfmadd231ps zmm0,zmm26,zmm27
    4caf:	vbroadcastss zmm27,DWORD PTR [rsp+rax*1+0x52c]
    4cba:	vfmadd231ps zmm15,zmm27,zmm4
    4cc0:	vfmadd231ps zmm14,zmm27,zmm5
    4cc6:	vfmadd231ps zmm13,zmm27,zmm6
    4ccc:	vfmadd231ps zmm12,zmm27,zmm22
    4cd2:	vfmadd231ps zmm3,zmm27,zmm26
    4cd8:	add    rdi,0x500
    4cdf:	add    rax,0x10
    4ce3:	jne    4980 <_pocl_kernel_attention_one_block_workgroup_fast+0x630>
    4ce9:	vbroadcastss zmm22,DWORD PTR [rip+0x1311]        # 6004 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb4>
    4cf3:	vblendmps zmm5{k1},zmm22,zmm24
    4cf9:	vmaxps zmm4,zmm8,zmm1
    4cff:	vmaxps zmm4,zmm4,zmm11
    4d05:	vmaxps zmm4,zmm4,zmm10
    4d0b:	vmaxps zmm6,zmm4,zmm5
    4d11:	vblendmps zmm4{k1},zmm22,zmm9
    4d17:	vmaxps zmm9,zmm25,zmm23
    4d1d:	vmaxps zmm9,zmm9,zmm21
    4d23:	vmaxps zmm9,zmm9,zmm20
    4d29:	vmaxps zmm9,zmm9,zmm4
    4d2f:	vblendmps zmm0{k1},zmm22,zmm0
    4d35:	vmovaps ZMMWORD PTR [rsp+0x140],zmm0
    4d3d:	vmaxps zmm24,zmm19,zmm18
    4d43:	vmaxps zmm24,zmm24,zmm17
    4d49:	vmaxps zmm24,zmm24,zmm16
    4d4f:	vmaxps zmm24,zmm24,zmm0
    4d55:	vmovaps zmm22{k1},zmm3
    4d5b:	vmaxps zmm3,zmm15,zmm14
    4d61:	vmaxps zmm3,zmm3,zmm13
    4d67:	vmaxps zmm3,zmm3,zmm12
    4d6d:	vmaxps zmm3,zmm3,zmm22
    4d73:	vinsertf64x4 zmm26,zmm6,ymm9,0x1
    4d7a:	vshuff64x2 zmm6,zmm6,zmm9,0xee
    4d81:	vmaxps zmm6,zmm26,zmm6
    4d87:	vinsertf64x4 zmm9,zmm24,ymm3,0x1
    4d8e:	vshuff64x2 zmm3,zmm24,zmm3,0xee
    4d95:	vmaxps zmm3,zmm9,zmm3
    4d9b:	vmovaps zmm9,zmm6
    4da1:	vmovaps zmm0,ZMMWORD PTR [rip+0x1455]        # 6200 <_pocl_kernel_attention_one_block_workgroup_fast+0x1eb0>
    4dab:	vpermt2ps zmm9,zmm0,zmm3
    4db1:	vmovaps zmm0,ZMMWORD PTR [rip+0x1485]        # 6240 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ef0>
    4dbb:	vpermt2ps zmm6,zmm0,zmm3
    4dc1:	vmaxps zmm3,zmm9,zmm6
    4dc7:	vmovaps ymm0,YMMWORD PTR [rip+0x14b1]        # 6280 <_pocl_kernel_attention_one_block_workgroup_fast+0x1f30>
    4dcf:	vpermps zmm6,zmm0,zmm3
    4dd5:	vmovaps ymm0,YMMWORD PTR [rip+0x14c3]        # 62a0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1f50>
    4ddd:	vpermps zmm3,zmm0,zmm3
    4de3:	vmaxps ymm3,ymm3,ymm6
    4de7:	vextractf128 xmm6,ymm3,0x1
    4ded:	vshufps xmm7,xmm3,xmm6,0x88
    4df2:	vshufps xmm3,xmm3,xmm6,0xdd
    4df7:	vmaxps xmm3,xmm7,xmm3
    4dfb:	vbroadcastss zmm6,xmm3
    4e01:	vsubps zmm7,zmm8,zmm6
    4e07:	vbroadcastss zmm27,DWORD PTR [rip+0x11f7]        # 6008 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cb8>
    4e11:	vmaxps zmm7,zmm27,zmm7
    4e17:	vbroadcastss zmm28,DWORD PTR [rip+0x11eb]        # 600c <_pocl_kernel_attention_one_block_workgroup_fast+0x1cbc>
    4e21:	vaddps zmm2,zmm7,zmm28
    4e27:	vaddps zmm8,zmm2,zmm29
    4e2d:	vsubps zmm7,zmm7,zmm8
    4e33:	vbroadcastss zmm0,DWORD PTR [rip+0x11db]        # 6018 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cc8>
    4e3d:	vmovaps zmm26,zmm0
    4e43:	vfmadd213ps zmm26,zmm7,zmm30
    4e49:	vfmadd213ps zmm26,zmm7,zmm31
    4e4f:	vbroadcastss zmm8,DWORD PTR [rip+0x11c7]        # 6020 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd0>
    4e59:	vfmadd213ps zmm26,zmm7,zmm8
    4e5f:	vbroadcastss zmm9,DWORD PTR [rip+0x11bb]        # 6024 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd4>
    4e69:	vfmadd213ps zmm26,zmm7,zmm9
    4e6f:	vbroadcastss zmm24,DWORD PTR [rip+0x11af]        # 6028 <_pocl_kernel_attention_one_block_workgroup_fast+0x1cd8>
    4e79:	vfmadd213ps zmm26,zmm7,zmm24
    4e7f:	vpslld zmm2,zmm2,0x17
    4e86:	vpaddd zmm2,zmm2,zmm26
    4e8c:	vsubps zmm1,zmm1,zmm6
    4e92:	vmaxps zmm1,zmm27,zmm1
    4e98:	vaddps zmm7,zmm1,zmm28
    4e9e:	vaddps zmm26,zmm7,zmm29
    4ea4:	vsubps zmm1,zmm1,zmm26
    4eaa:	mov    rsi,QWORD PTR [rsp+0x48]
    4eaf:	mov    rax,rsi
    4eb2:	shl    rax,0x6
    4eb6:	lea    rcx,[rax+rax*4]
    4eba:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x580],zmm2
    4ec2:	vmovaps zmm26,zmm0
    4ec8:	vfmadd213ps zmm26,zmm1,zmm30
    4ece:	vfmadd213ps zmm26,zmm1,zmm31
    4ed4:	vfmadd213ps zmm26,zmm1,zmm8
    4eda:	vfmadd213ps zmm26,zmm1,zmm9
    4ee0:	vfmadd213ps zmm26,zmm1,zmm24
    4ee6:	vpslld zmm1,zmm7,0x17
    4eed:	vpaddd zmm1,zmm1,zmm26
    4ef3:	mov    rdx,rcx
    4ef6:	or     rdx,0x40
    4efa:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x580],zmm1
    4f02:	vaddps zmm1,zmm2,zmm1
    4f08:	vsubps zmm2,zmm11,zmm6
    4f0e:	vmaxps zmm2,zmm27,zmm2
    4f14:	vaddps zmm7,zmm2,zmm28
    4f1a:	vaddps zmm11,zmm7,zmm29
    4f20:	vsubps zmm2,zmm2,zmm11
    4f26:	vmovaps zmm11,zmm0
    4f2c:	vfmadd213ps zmm11,zmm2,zmm30
    4f32:	vfmadd213ps zmm11,zmm2,zmm31
    4f38:	vfmadd213ps zmm11,zmm2,zmm8
    4f3e:	vfmadd213ps zmm11,zmm2,zmm9
    4f44:	vfmadd213ps zmm11,zmm2,zmm24
    4f4a:	vpslld zmm2,zmm7,0x17
    4f51:	vpaddd zmm2,zmm2,zmm11
    4f57:	vaddps zmm1,zmm1,zmm2
    4f5d:	mov    rdx,rcx
    4f60:	or     rdx,0x80
    4f67:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x580],zmm2
    4f6f:	vsubps zmm2,zmm10,zmm6
    4f75:	vmaxps zmm2,zmm27,zmm2
    4f7b:	vaddps zmm7,zmm2,zmm28
    4f81:	vaddps zmm10,zmm7,zmm29
    4f87:	vsubps zmm2,zmm2,zmm10
    4f8d:	vmovaps zmm10,zmm0
    4f93:	vfmadd213ps zmm10,zmm2,zmm30
    4f99:	vfmadd213ps zmm10,zmm2,zmm31
    4f9f:	vfmadd213ps zmm10,zmm2,zmm8
    4fa5:	vfmadd213ps zmm10,zmm2,zmm9
    4fab:	vfmadd213ps zmm10,zmm2,zmm24
    4fb1:	vpslld zmm2,zmm7,0x17
    4fb8:	vpaddd zmm2,zmm2,zmm10
    4fbe:	vaddps zmm1,zmm1,zmm2
    4fc4:	mov    rdx,rcx
    4fc7:	or     rdx,0xc0
    4fce:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x580],zmm2
    4fd6:	vsubps zmm2,zmm5,zmm6
    4fdc:	vmaxps zmm2,zmm27,zmm2
    4fe2:	vaddps zmm5,zmm2,zmm28
    4fe8:	vaddps zmm6,zmm5,zmm29
    4fee:	vsubps zmm2,zmm2,zmm6
    4ff4:	vmovaps zmm6,zmm0
    4ffa:	vfmadd213ps zmm6,zmm2,zmm30
    5000:	vfmadd213ps zmm6,zmm2,zmm31
    5006:	vfmadd213ps zmm6,zmm2,zmm8
    500c:	vfmadd213ps zmm6,zmm2,zmm9
    5012:	vfmadd213ps zmm6,zmm2,zmm24
    5018:	vpslld zmm2,zmm5,0x17
    501f:	vpaddd zmm2,zmm2,zmm6
    5025:	vaddps zmm1,zmm1,zmm2
    502b:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x680],zmm2
    5033:	vbroadcastss zmm2,DWORD PTR [rip+0xfef]        # 602c <_pocl_kernel_attention_one_block_workgroup_fast+0x1cdc>
    503d:	vpermps zmm5,zmm2,zmm3
    5043:	vsubps zmm2,zmm25,zmm5
    5049:	vmaxps zmm2,zmm27,zmm2
    504f:	vaddps zmm6,zmm2,zmm28
    5055:	vaddps zmm7,zmm6,zmm29
    505b:	vsubps zmm2,zmm2,zmm7
    5061:	vmovaps zmm7,zmm0
    5067:	vfmadd213ps zmm7,zmm2,zmm30
    506d:	vfmadd213ps zmm7,zmm2,zmm31
    5073:	vfmadd213ps zmm7,zmm2,zmm8
    5079:	vfmadd213ps zmm7,zmm2,zmm9
    507f:	vfmadd213ps zmm7,zmm2,zmm24
    5085:	vpslld zmm2,zmm6,0x17
    508c:	vpaddd zmm2,zmm2,zmm7
    5092:	vsubps zmm6,zmm23,zmm5
    5098:	vmaxps zmm6,zmm27,zmm6
    509e:	vaddps zmm7,zmm6,zmm28
    50a4:	vaddps zmm10,zmm7,zmm29
    50aa:	vsubps zmm6,zmm6,zmm10
    50b0:	vmovaps zmm10,zmm0
    50b6:	vfmadd213ps zmm10,zmm6,zmm30
    50bc:	vfmadd213ps zmm10,zmm6,zmm31
    50c2:	vfmadd213ps zmm10,zmm6,zmm8
    50c8:	vfmadd213ps zmm10,zmm6,zmm9
    50ce:	vfmadd213ps zmm10,zmm6,zmm24
    50d4:	mov    rcx,rax
    50d7:	or     rcx,0x40
    50db:	lea    rcx,[rcx+rcx*4]
    50df:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x580],zmm2
    50e7:	vpslld zmm6,zmm7,0x17
    50ee:	vpaddd zmm6,zmm6,zmm10
    50f4:	vaddps zmm2,zmm2,zmm6
    50fa:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x5c0],zmm6
    5102:	vsubps zmm6,zmm21,zmm5
    5108:	vmaxps zmm6,zmm27,zmm6
    510e:	vaddps zmm7,zmm6,zmm28
    5114:	vaddps zmm10,zmm7,zmm29
    511a:	vsubps zmm6,zmm6,zmm10
    5120:	vmovaps zmm10,zmm0
    5126:	vfmadd213ps zmm10,zmm6,zmm30
    512c:	vfmadd213ps zmm10,zmm6,zmm31
    5132:	vfmadd213ps zmm10,zmm6,zmm8
    5138:	vfmadd213ps zmm10,zmm6,zmm9
    513e:	vfmadd213ps zmm10,zmm6,zmm24
    5144:	vpslld zmm6,zmm7,0x17
    514b:	vpaddd zmm6,zmm6,zmm10
    5151:	vaddps zmm2,zmm2,zmm6
    5157:	mov    rdx,rcx
    515a:	or     rdx,0x80
    5161:	vmovdqa64 ZMMWORD PTR [rsp+rdx*1+0x580],zmm6
    5169:	vsubps zmm6,zmm20,zmm5
    516f:	vmaxps zmm6,zmm27,zmm6
    5175:	vaddps zmm7,zmm6,zmm28
    517b:	vaddps zmm10,zmm7,zmm29
    5181:	vsubps zmm6,zmm6,zmm10
    5187:	vmovaps zmm10,zmm0
    518d:	vfmadd213ps zmm10,zmm6,zmm30
    5193:	vfmadd213ps zmm10,zmm6,zmm31
    5199:	vfmadd213ps zmm10,zmm6,zmm8
    519f:	vfmadd213ps zmm10,zmm6,zmm9
    51a5:	vfmadd213ps zmm10,zmm6,zmm24
    51ab:	vpslld zmm6,zmm7,0x17
    51b2:	vpaddd zmm6,zmm6,zmm10
    51b8:	vaddps zmm2,zmm2,zmm6
    51be:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x640],zmm6
    51c6:	vsubps zmm4,zmm4,zmm5
    51cc:	vmaxps zmm4,zmm27,zmm4
    51d2:	vaddps zmm5,zmm4,zmm28
    51d8:	vaddps zmm6,zmm5,zmm29
    51de:	vsubps zmm4,zmm4,zmm6
    51e4:	vmovaps zmm6,zmm0
    51ea:	vfmadd213ps zmm6,zmm4,zmm30
    51f0:	vfmadd213ps zmm6,zmm4,zmm31
    51f6:	vfmadd213ps zmm6,zmm4,zmm8
    51fc:	vfmadd213ps zmm6,zmm4,zmm9
    5202:	vfmadd213ps zmm6,zmm4,zmm24
    5208:	vpslld zmm4,zmm5,0x17
    520f:	vpaddd zmm5,zmm4,zmm6
    5215:	vaddps zmm4,zmm2,zmm5
    521b:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x680],zmm5
    5223:	vbroadcastss zmm2,DWORD PTR [rip+0xe03]        # 6030 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce0>
    522d:	vpermps zmm5,zmm2,zmm3
    5233:	vsubps zmm2,zmm19,zmm5
    5239:	vmaxps zmm2,zmm27,zmm2
    523f:	vaddps zmm6,zmm2,zmm28
    5245:	vaddps zmm7,zmm6,zmm29
    524b:	vsubps zmm2,zmm2,zmm7
    5251:	vmovaps zmm7,zmm0
    5257:	vfmadd213ps zmm7,zmm2,zmm30
    525d:	vfmadd213ps zmm7,zmm2,zmm31
    5263:	vfmadd213ps zmm7,zmm2,zmm8
    5269:	vfmadd213ps zmm7,zmm2,zmm9
    526f:	vfmadd213ps zmm7,zmm2,zmm24
    5275:	vpslld zmm2,zmm6,0x17
    527c:	vpaddd zmm2,zmm2,zmm7
    5282:	or     rax,0x80
    5288:	lea    rax,[rax+rax*4]
    528c:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x580],zmm2
    5294:	vsubps zmm6,zmm18,zmm5
    529a:	vmaxps zmm6,zmm27,zmm6
    52a0:	vaddps zmm7,zmm6,zmm28
    52a6:	vaddps zmm10,zmm7,zmm29
    52ac:	vsubps zmm6,zmm6,zmm10
    52b2:	vmovaps zmm10,zmm0
    52b8:	vfmadd213ps zmm10,zmm6,zmm30
    52be:	vfmadd213ps zmm10,zmm6,zmm31
    52c4:	vfmadd213ps zmm10,zmm6,zmm8
    52ca:	vfmadd213ps zmm10,zmm6,zmm9
    52d0:	vfmadd213ps zmm10,zmm6,zmm24
    52d6:	vpslld zmm6,zmm7,0x17
    52dd:	vpaddd zmm6,zmm6,zmm10
    52e3:	mov    rcx,rax
    52e6:	or     rcx,0x40
    52ea:	vmovdqa64 ZMMWORD PTR [rsp+rcx*1+0x580],zmm6
    52f2:	vaddps zmm2,zmm2,zmm6
    52f8:	vsubps zmm6,zmm17,zmm5
    52fe:	vmaxps zmm6,zmm27,zmm6
    5304:	vaddps zmm7,zmm6,zmm28
    530a:	vaddps zmm10,zmm7,zmm29
    5310:	vsubps zmm6,zmm6,zmm10
    5316:	vmovaps zmm10,zmm0
    531c:	vfmadd213ps zmm10,zmm6,zmm30
    5322:	vfmadd213ps zmm10,zmm6,zmm31
    5328:	vfmadd213ps zmm10,zmm6,zmm8
    532e:	vfmadd213ps zmm10,zmm6,zmm9
    5334:	vfmadd213ps zmm10,zmm6,zmm24
    533a:	vpslld zmm6,zmm7,0x17
    5341:	vpaddd zmm6,zmm6,zmm10
    5347:	vaddps zmm2,zmm2,zmm6
    534d:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x600],zmm6
    5355:	vsubps zmm6,zmm16,zmm5
    535b:	vmaxps zmm6,zmm27,zmm6
    5361:	vaddps zmm7,zmm6,zmm28
    5367:	vaddps zmm10,zmm7,zmm29
    536d:	vsubps zmm6,zmm6,zmm10
    5373:	vmovaps zmm10,zmm0
    5379:	vfmadd213ps zmm10,zmm6,zmm30
    537f:	vfmadd213ps zmm10,zmm6,zmm31
    5385:	vfmadd213ps zmm10,zmm6,zmm8
    538b:	vfmadd213ps zmm10,zmm6,zmm9
    5391:	vfmadd213ps zmm10,zmm6,zmm24
    5397:	vpslld zmm6,zmm7,0x17
    539e:	vpaddd zmm6,zmm6,zmm10
    53a4:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x640],zmm6
    53ac:	vaddps zmm2,zmm2,zmm6
    53b2:	vmovaps zmm6,ZMMWORD PTR [rsp+0x140]
    53ba:	vsubps zmm5,zmm6,zmm5
    53c0:	vmaxps zmm5,zmm27,zmm5
    53c6:	vaddps zmm6,zmm5,zmm28
    53cc:	vaddps zmm7,zmm6,zmm29
    53d2:	vsubps zmm5,zmm5,zmm7
    53d8:	vmovaps zmm7,zmm0
    53de:	vfmadd213ps zmm7,zmm5,zmm30
    53e4:	vfmadd213ps zmm7,zmm5,zmm31
    53ea:	vfmadd213ps zmm7,zmm5,zmm8
    53f0:	vfmadd213ps zmm7,zmm5,zmm9
    53f6:	vfmadd213ps zmm7,zmm5,zmm24
    53fc:	vpslld zmm5,zmm6,0x17
    5403:	vpaddd zmm5,zmm5,zmm7
    5409:	vaddps zmm2,zmm2,zmm5
    540f:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x680],zmm5
    5417:	vbroadcastss zmm5,DWORD PTR [rip+0xc13]        # 6034 <_pocl_kernel_attention_one_block_workgroup_fast+0x1ce4>
    5421:	vpermps zmm3,zmm5,zmm3
    5427:	vsubps zmm5,zmm15,zmm3
    542d:	vmaxps zmm5,zmm27,zmm5
    5433:	vaddps zmm6,zmm5,zmm28
    5439:	vaddps zmm7,zmm6,zmm29
    543f:	vsubps zmm5,zmm5,zmm7
    5445:	vmovaps zmm7,zmm0
    544b:	vfmadd213ps zmm7,zmm5,zmm30
    5451:	vfmadd213ps zmm7,zmm5,zmm31
    5457:	vfmadd213ps zmm7,zmm5,zmm8
    545d:	vfmadd213ps zmm7,zmm5,zmm9
    5463:	vfmadd213ps zmm7,zmm5,zmm24
    5469:	vpslld zmm5,zmm6,0x17
    5470:	vpaddd zmm5,zmm5,zmm7
    5476:	vsubps zmm6,zmm14,zmm3
    547c:	vmaxps zmm6,zmm27,zmm6
    5482:	vaddps zmm7,zmm6,zmm28
    5488:	vaddps zmm10,zmm7,zmm29
    548e:	vsubps zmm6,zmm6,zmm10
    5494:	vmovaps zmm10,zmm0
    549a:	vfmadd213ps zmm10,zmm6,zmm30
    54a0:	vfmadd213ps zmm10,zmm6,zmm31
    54a6:	vfmadd213ps zmm10,zmm6,zmm8
    54ac:	vfmadd213ps zmm10,zmm6,zmm9
    54b2:	vfmadd213ps zmm10,zmm6,zmm24
    54b8:	mov    rax,rsi
    54bb:	or     rax,0x3
    54bf:	lea    rax,[rax+rax*4]
    54c3:	shl    rax,0x6
    54c7:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x580],zmm5
    54cf:	vpslld zmm6,zmm7,0x17
    54d6:	vpaddd zmm6,zmm6,zmm10
    54dc:	vaddps zmm5,zmm5,zmm6
    54e2:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x5c0],zmm6
    54ea:	vsubps zmm6,zmm13,zmm3
    54f0:	vmaxps zmm6,zmm27,zmm6
    54f6:	vaddps zmm7,zmm6,zmm28
    54fc:	vaddps zmm10,zmm7,zmm29
    5502:	vsubps zmm6,zmm6,zmm10
    5508:	vmovaps zmm10,zmm0
    550e:	vfmadd213ps zmm10,zmm6,zmm30
    5514:	vfmadd213ps zmm10,zmm6,zmm31
    551a:	vfmadd213ps zmm10,zmm6,zmm8
    5520:	vfmadd213ps zmm10,zmm6,zmm9
    5526:	vfmadd213ps zmm10,zmm6,zmm24
    552c:	vpslld zmm6,zmm7,0x17
    5533:	vpaddd zmm6,zmm6,zmm10
    5539:	vaddps zmm5,zmm5,zmm6
    553f:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x600],zmm6
    5547:	vsubps zmm6,zmm12,zmm3
    554d:	vmaxps zmm6,zmm27,zmm6
    5553:	vaddps zmm7,zmm6,zmm28
    5559:	vaddps zmm10,zmm7,zmm29
    555f:	vsubps zmm6,zmm6,zmm10
    5565:	vmovaps zmm10,zmm0
    556b:	vfmadd213ps zmm10,zmm6,zmm30
    5571:	vfmadd213ps zmm10,zmm6,zmm31
    5577:	vfmadd213ps zmm10,zmm6,zmm8
    557d:	vfmadd213ps zmm10,zmm6,zmm9
    5583:	vfmadd213ps zmm10,zmm6,zmm24
    5589:	vpslld zmm6,zmm7,0x17
    5590:	vpaddd zmm6,zmm6,zmm10
    5596:	vaddps zmm5,zmm5,zmm6
    559c:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x640],zmm6
    55a4:	vsubps zmm3,zmm22,zmm3
    55aa:	vmaxps zmm3,zmm27,zmm3
    55b0:	vaddps zmm6,zmm3,zmm28
    55b6:	vaddps zmm7,zmm6,zmm29
    55bc:	vsubps zmm3,zmm3,zmm7
    55c2:	vfmadd213ps zmm0,zmm3,zmm30
    55c8:	vfmadd213ps zmm0,zmm3,zmm31
    55ce:	vfmadd213ps zmm0,zmm3,zmm8
    55d4:	vfmadd213ps zmm0,zmm3,zmm9
    55da:	vfmadd213ps zmm0,zmm3,zmm24
    55e0:	vpslld zmm3,zmm6,0x17
    55e7:	vpaddd zmm0,zmm3,zmm0
    55ed:	vinsertf64x4 zmm3,zmm1,ymm4,0x1
    55f4:	vshuff64x2 zmm1,zmm1,zmm4,0xee
    55fb:	vaddps zmm4,zmm5,zmm0
    5601:	vaddps zmm1,zmm3,zmm1
    5607:	vextractf64x4 ymm3,zmm1,0x1
    560e:	vhaddps ymm1,ymm1,ymm3
    5612:	vinsertf64x4 zmm3,zmm2,ymm4,0x1
    5619:	vshuff64x2 zmm2,zmm2,zmm4,0xee
    5620:	vaddps zmm2,zmm3,zmm2
    5626:	vextractf64x4 ymm3,zmm2,0x1
    562d:	vhaddps ymm2,ymm2,ymm3
    5631:	vpermpd ymm1,ymm1,0xd8
    5637:	vpermpd ymm2,ymm2,0xd8
    563d:	vhaddps ymm1,ymm1,ymm2
    5641:	vmovdqa64 ZMMWORD PTR [rsp+rax*1+0x680],zmm0
    5649:	vextractf128 xmm0,ymm1,0x1
    564f:	vhaddps xmm0,xmm1,xmm0
    5653:	vpermilps xmm0,xmm0,0xd8
    5659:	vdivps xmm0,xmm24,xmm0
    565f:	vmovaps XMMWORD PTR [rsp+rsi*4+0xe0],xmm0
    5668:	lea    rax,[rsi+0x4]
    566c:	cmp    rsi,0xc
    5670:	mov    r11,QWORD PTR [rsp+0xd8]
    5678:	jb     4610 <_pocl_kernel_attention_one_block_workgroup_fast+0x2c0>
    567e:	mov    rax,QWORD PTR [rsp+0x50]
    5683:	mov    rcx,QWORD PTR [rsp+0x78]
    5688:	add    rax,rcx
    568b:	mov    QWORD PTR [rsp+0x48],rax
    5690:	mov    r10b,0x1
    5693:	xor    eax,eax
    5695:	mov    r13,QWORD PTR [rsp+0xa0]
    569d:	mov    r8,QWORD PTR [rsp+0x98]
    56a5:	mov    r12,QWORD PTR [rsp+0x68]
    56aa:	mov    r15,QWORD PTR [rsp+0x90]
    56b2:	mov    rsi,QWORD PTR [rsp+0x88]
    56ba:	mov    rbx,QWORD PTR [rsp+0x80]
    56c2:	jmp    56e5 <_pocl_kernel_attention_one_block_workgroup_fast+0x1395>
    56c4:	data16 data16 cs nop WORD PTR [rax+rax*1+0x0]
    56d0:	mov    eax,0x8
    56d5:	test   r10b,0x1
    56d9:	mov    r10d,0x0
    56df:	je     45d0 <_pocl_kernel_attention_one_block_workgroup_fast+0x280>
    56e5:	test   r12d,r12d
    56e8:	jle    58c0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1570>
    56ee:	lea    rcx,[rax+rax*4]
    56f2:	shl    rcx,0x6
    56f6:	lea    rdi,[rsp+rcx*1]
    56fa:	add    rdi,0x580
    5701:	vxorps xmm12,xmm12,xmm12
    5706:	vxorps xmm13,xmm13,xmm13
    570b:	xor    ecx,ecx
    570d:	vxorps xmm14,xmm14,xmm14
    5712:	vxorps xmm15,xmm15,xmm15
    5717:	vxorps xmm16,xmm16,xmm16
    571d:	vxorps xmm8,xmm8,xmm8
    5722:	vxorps xmm9,xmm9,xmm9
    5727:	vxorps xmm18,xmm18,xmm18
    572d:	vxorps xmm11,xmm11,xmm11
    5732:	vxorps xmm0,xmm0,xmm0
    5736:	vxorps xmm1,xmm1,xmm1
    573a:	vxorps xmm20,xmm20,xmm20
    5740:	vxorps xmm21,xmm21,xmm21
    5746:	vxorps xmm23,xmm23,xmm23
    574c:	vxorps xmm24,xmm24,xmm24
    5752:	vxorps xmm25,xmm25,xmm25
    5758:	vxorps xmm26,xmm26,xmm26
    575e:	vxorps xmm17,xmm17,xmm17
    5764:	vxorps xmm10,xmm10,xmm10
    5769:	vxorps xmm19,xmm19,xmm19
    576f:	vxorps xmm3,xmm3,xmm3
    5773:	vxorps xmm22,xmm22,xmm22
    5779:	vxorps xmm4,xmm4,xmm4
    577d:	vxorps xmm27,xmm27,xmm27
    5783:	data16 data16 data16 cs nop WORD PTR [rax+rax*1+0x0]
    5790:	vmovups zmm2,ZMMWORD PTR [r9+rcx*4]
    5797:	vmovups zmm5,ZMMWORD PTR [r9+rcx*4+0x40]
    579f:	vmovups ymm6,YMMWORD PTR [r9+rcx*4+0x80]
    57a9:	vbroadcastss zmm7,DWORD PTR [rdi]
    57af:	vfmadd231ps zmm26,zmm7,zmm2
    57b5:	vfmadd231ps zmm25,zmm5,zmm7
    57bb:	vfmadd231ps ymm27,ymm6,DWORD BCST [rdi+r14*4]
    57c2:	vbroadcastss zmm7,DWORD PTR [rdi+0x140]
    57c9:	vfmadd231ps zmm24,zmm7,zmm2
    57cf:	vfmadd231ps zmm23,zmm5,zmm7
    57d5:	vfmadd231ps ymm4,ymm6,DWORD BCST [rdi+r14*4+0x140]
    57dd:	vbroadcastss zmm7,DWORD PTR [rdi+0x280]
    57e7:	vfmadd231ps zmm21,zmm7,zmm2
    57ed:	vfmadd231ps zmm20,zmm5,zmm7
    57f3:	vfmadd231ps ymm22,ymm6,DWORD BCST [rdi+r14*4+0x280]
    57fe:	vbroadcastss zmm7,DWORD PTR [rdi+0x3c0]
    5808:	vfmadd231ps zmm1,zmm7,zmm2
    580e:	vfmadd231ps zmm0,zmm5,zmm7
    5814:	vfmadd231ps ymm3,ymm6,DWORD BCST [rdi+r14*4+0x3c0]
    581f:	vbroadcastss zmm7,DWORD PTR [rdi+0x500]
    5829:	vfmadd231ps zmm11,zmm7,zmm2
    582f:	vfmadd231ps zmm18,zmm5,zmm7
    5835:	vfmadd231ps ymm19,ymm6,DWORD BCST [rdi+r14*4+0x500]
    5840:	vbroadcastss zmm7,DWORD PTR [rdi+0x640]
    584a:	vfmadd231ps zmm9,zmm7,zmm2
    5850:	vfmadd231ps zmm8,zmm5,zmm7
    5856:	vfmadd231ps ymm10,ymm6,DWORD BCST [rdi+r14*4+0x640]
    5861:	vbroadcastss zmm7,DWORD PTR [rdi+0x780]
    586b:	vfmadd231ps zmm16,zmm7,zmm2
    5871:	vfmadd231ps zmm15,zmm5,zmm7
    5877:	vfmadd231ps ymm17,ymm6,DWORD BCST [rdi+r14*4+0x780]
    5882:	vbroadcastss zmm7,DWORD PTR [rdi+0x8c0]
    588c:	vfmadd231ps zmm14,zmm7,zmm2
    5892:	vfmadd231ps zmm13,zmm7,zmm5
    5898:	vfmadd231ps ymm12,ymm6,DWORD BCST [rdi+r14*4+0x8c0]
    58a3:	add    rcx,0x28
    58a7:	add    rdi,0x4
    58ab:	cmp    rbx,rcx
    58ae:	jne    5790 <_pocl_kernel_attention_one_block_workgroup_fast+0x1440>
    58b4:	jmp    5940 <_pocl_kernel_attention_one_block_workgroup_fast+0x15f0>
    58b9:	nop    DWORD PTR [rax+0x0]
    58c0:	vxorps xmm12,xmm12,xmm12
    58c5:	vxorps xmm13,xmm13,xmm13
    58ca:	vxorps xmm14,xmm14,xmm14
    58cf:	vxorps xmm15,xmm15,xmm15
    58d4:	vxorps xmm16,xmm16,xmm16
    58da:	vxorps xmm8,xmm8,xmm8
    58df:	vxorps xmm9,xmm9,xmm9
    58e4:	vxorps xmm18,xmm18,xmm18
    58ea:	vxorps xmm11,xmm11,xmm11
    58ef:	vxorps xmm0,xmm0,xmm0
    58f3:	vxorps xmm1,xmm1,xmm1
    58f7:	vxorps xmm20,xmm20,xmm20
    58fd:	vxorps xmm21,xmm21,xmm21
    5903:	vxorps xmm23,xmm23,xmm23
    5909:	vxorps xmm24,xmm24,xmm24
    590f:	vxorps xmm25,xmm25,xmm25
    5915:	vxorps xmm26,xmm26,xmm26
    591b:	vxorps xmm17,xmm17,xmm17
    5921:	vxorps xmm10,xmm10,xmm10
    5926:	vxorps xmm19,xmm19,xmm19
    592c:	vxorps xmm3,xmm3,xmm3
    5930:	vxorps xmm22,xmm22,xmm22
    5936:	vxorps xmm4,xmm4,xmm4
    593a:	vxorps xmm27,xmm27,xmm27
    5940:	mov    rcx,QWORD PTR [rsp+0x48]
    5945:	lea    rdi,[rcx+rax*1]
    5949:	mov    rcx,rax
    594c:	or     rcx,QWORD PTR [rsp+0x78]
    5951:	cmp    rcx,r8
    5954:	jge    59c3 <_pocl_kernel_attention_one_block_workgroup_fast+0x1673>
    5956:	mov    rcx,rdi
    5959:	imul   rcx,QWORD PTR [rsp+0x38]
    595f:	add    rcx,r15
    5962:	lea    rcx,[rcx+rcx*4]
    5966:	lea    rcx,[rcx*8+0x0]
    596e:	add    rcx,r13
    5971:	vbroadcastss zmm2,DWORD PTR [rsp+rax*4+0xe0]
    5979:	vmulps zmm5,zmm26,zmm2
    597f:	vextractf32x4 XMMWORD PTR [rsi+rcx*4+0x10],zmm5,0x1
    5988:	vmovups XMMWORD PTR [rsi+rcx*4],xmm5
    598d:	vextractf64x4 YMMWORD PTR [rsi+rcx*4+0x20],zmm5,0x1
    5996:	vmulps zmm5,zmm25,zmm2
    599c:	vextractf32x4 XMMWORD PTR [rsi+rcx*4+0x50],zmm5,0x1
    59a5:	vmovups XMMWORD PTR [rsi+rcx*4+0x40],xmm5
    59ab:	vextractf64x4 YMMWORD PTR [rsi+rcx*4+0x60],zmm5,0x1
    59b4:	vmulps ymm2,ymm27,ymm2
    59ba:	vmovups YMMWORD PTR [rsi+rcx*4+0x80],ymm2
    59c3:	mov    rcx,rax
    59c6:	or     rcx,0x1
    59ca:	mov    edx,DWORD PTR [rsp+0x40]
    59ce:	or     edx,ecx
    59d0:	cmp    edx,r8d
    59d3:	jge    5a41 <_pocl_kernel_attention_one_block_workgroup_fast+0x16f1>
    59d5:	lea    rdx,[rdi+0x1]
    59d9:	imul   rdx,QWORD PTR [rsp+0x38]
    59df:	add    rdx,r15
    59e2:	lea    rdx,[rdx+rdx*4]
    59e6:	lea    rdx,[rdx*8+0x0]
    59ee:	add    rdx,r13
    59f1:	vbroadcastss zmm2,DWORD PTR [rsp+rcx*4+0xe0]
    59f9:	vmulps zmm5,zmm24,zmm2
    59ff:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x10],zmm5,0x1
    5a08:	vmovups XMMWORD PTR [rsi+rdx*4],xmm5
    5a0d:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x20],zmm5,0x1
    5a16:	vmulps zmm5,zmm23,zmm2
    5a1c:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x50],zmm5,0x1
    5a25:	vmovups XMMWORD PTR [rsi+rdx*4+0x40],xmm5
    5a2b:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x60],zmm5,0x1
    5a34:	vmulps ymm2,ymm4,ymm2
    5a38:	vmovups YMMWORD PTR [rsi+rdx*4+0x80],ymm2
    5a41:	mov    rcx,rax
    5a44:	or     rcx,0x2
    5a48:	mov    edx,DWORD PTR [rsp+0x40]
    5a4c:	or     edx,ecx
    5a4e:	cmp    edx,r8d
    5a51:	jge    5ac1 <_pocl_kernel_attention_one_block_workgroup_fast+0x1771>
    5a53:	lea    rdx,[rdi+0x2]
    5a57:	imul   rdx,QWORD PTR [rsp+0x38]
    5a5d:	add    rdx,r15
    5a60:	lea    rdx,[rdx+rdx*4]
    5a64:	lea    rdx,[rdx*8+0x0]
    5a6c:	add    rdx,r13
    5a6f:	vbroadcastss zmm2,DWORD PTR [rsp+rcx*4+0xe0]
    5a77:	vmulps zmm4,zmm21,zmm2
    5a7d:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x10],zmm4,0x1
    5a86:	vmovups XMMWORD PTR [rsi+rdx*4],xmm4
    5a8b:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x20],zmm4,0x1
    5a94:	vmulps zmm4,zmm20,zmm2
    5a9a:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x50],zmm4,0x1
    5aa3:	vmovups XMMWORD PTR [rsi+rdx*4+0x40],xmm4
    5aa9:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x60],zmm4,0x1
    5ab2:	vmulps ymm2,ymm22,ymm2
    5ab8:	vmovups YMMWORD PTR [rsi+rdx*4+0x80],ymm2
    5ac1:	mov    rcx,rax
    5ac4:	or     rcx,0x3
    5ac8:	mov    edx,DWORD PTR [rsp+0x40]
    5acc:	or     edx,ecx
    5ace:	cmp    edx,r8d
    5ad1:	jge    5b3f <_pocl_kernel_attention_one_block_workgroup_fast+0x17ef>
    5ad3:	lea    rdx,[rdi+0x3]
    5ad7:	imul   rdx,QWORD PTR [rsp+0x38]
    5add:	add    rdx,r15
    5ae0:	lea    rdx,[rdx+rdx*4]
    5ae4:	lea    rdx,[rdx*8+0x0]
    5aec:	add    rdx,r13
    5aef:	vbroadcastss zmm2,DWORD PTR [rsp+rcx*4+0xe0]
    5af7:	vmulps zmm1,zmm1,zmm2
    5afd:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x10],zmm1,0x1
    5b06:	vmovups XMMWORD PTR [rsi+rdx*4],xmm1
    5b0b:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x20],zmm1,0x1
    5b14:	vmulps zmm0,zmm0,zmm2
    5b1a:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x50],zmm0,0x1
    5b23:	vmovups XMMWORD PTR [rsi+rdx*4+0x40],xmm0
    5b29:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x60],zmm0,0x1
    5b32:	vmulps ymm0,ymm3,ymm2
    5b36:	vmovups YMMWORD PTR [rsi+rdx*4+0x80],ymm0
    5b3f:	mov    rcx,rax
    5b42:	or     rcx,0x4
    5b46:	mov    edx,DWORD PTR [rsp+0x40]
    5b4a:	or     edx,ecx
    5b4c:	cmp    edx,r8d
    5b4f:	jge    5bbf <_pocl_kernel_attention_one_block_workgroup_fast+0x186f>
    5b51:	lea    rdx,[rdi+0x4]
    5b55:	imul   rdx,QWORD PTR [rsp+0x38]
    5b5b:	add    rdx,r15
    5b5e:	lea    rdx,[rdx+rdx*4]
    5b62:	lea    rdx,[rdx*8+0x0]
    5b6a:	add    rdx,r13
    5b6d:	vbroadcastss zmm0,DWORD PTR [rsp+rcx*4+0xe0]
    5b75:	vmulps zmm1,zmm11,zmm0
    5b7b:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x10],zmm1,0x1
    5b84:	vmovups XMMWORD PTR [rsi+rdx*4],xmm1
    5b89:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x20],zmm1,0x1
    5b92:	vmulps zmm1,zmm18,zmm0
    5b98:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x50],zmm1,0x1
    5ba1:	vmovups XMMWORD PTR [rsi+rdx*4+0x40],xmm1
    5ba7:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x60],zmm1,0x1
    5bb0:	vmulps ymm0,ymm19,ymm0
    5bb6:	vmovups YMMWORD PTR [rsi+rdx*4+0x80],ymm0
    5bbf:	mov    rcx,rax
    5bc2:	or     rcx,0x5
    5bc6:	mov    edx,DWORD PTR [rsp+0x40]
    5bca:	or     edx,ecx
    5bcc:	cmp    edx,r8d
    5bcf:	jge    5c3d <_pocl_kernel_attention_one_block_workgroup_fast+0x18ed>
    5bd1:	lea    rdx,[rdi+0x5]
    5bd5:	imul   rdx,QWORD PTR [rsp+0x38]
    5bdb:	add    rdx,r15
    5bde:	lea    rdx,[rdx+rdx*4]
    5be2:	lea    rdx,[rdx*8+0x0]
    5bea:	add    rdx,r13
    5bed:	vbroadcastss zmm0,DWORD PTR [rsp+rcx*4+0xe0]
    5bf5:	vmulps zmm1,zmm9,zmm0
    5bfb:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x10],zmm1,0x1
    5c04:	vmovups XMMWORD PTR [rsi+rdx*4],xmm1
    5c09:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x20],zmm1,0x1
    5c12:	vmulps zmm1,zmm8,zmm0
    5c18:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x50],zmm1,0x1
    5c21:	vmovups XMMWORD PTR [rsi+rdx*4+0x40],xmm1
    5c27:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x60],zmm1,0x1
    5c30:	vmulps ymm0,ymm10,ymm0
    5c34:	vmovups YMMWORD PTR [rsi+rdx*4+0x80],ymm0
    5c3d:	mov    rcx,rax
    5c40:	or     rcx,0x6
    5c44:	mov    edx,DWORD PTR [rsp+0x40]
    5c48:	or     edx,ecx
    5c4a:	cmp    edx,r8d
    5c4d:	jge    5cbd <_pocl_kernel_attention_one_block_workgroup_fast+0x196d>
    5c4f:	lea    rdx,[rdi+0x6]
    5c53:	imul   rdx,QWORD PTR [rsp+0x38]
    5c59:	add    rdx,r15
    5c5c:	lea    rdx,[rdx+rdx*4]
    5c60:	lea    rdx,[rdx*8+0x0]
    5c68:	add    rdx,r13
    5c6b:	vbroadcastss zmm0,DWORD PTR [rsp+rcx*4+0xe0]
    5c73:	vmulps zmm1,zmm16,zmm0
    5c79:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x10],zmm1,0x1
    5c82:	vmovups XMMWORD PTR [rsi+rdx*4],xmm1
    5c87:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x20],zmm1,0x1
    5c90:	vmulps zmm1,zmm15,zmm0
    5c96:	vextractf32x4 XMMWORD PTR [rsi+rdx*4+0x50],zmm1,0x1
    5c9f:	vmovups XMMWORD PTR [rsi+rdx*4+0x40],xmm1
    5ca5:	vextractf64x4 YMMWORD PTR [rsi+rdx*4+0x60],zmm1,0x1
    5cae:	vmulps ymm0,ymm17,ymm0
    5cb4:	vmovups YMMWORD PTR [rsi+rdx*4+0x80],ymm0
    5cbd:	or     rax,0x7
    5cc1:	mov    ecx,DWORD PTR [rsp+0x40]
    5cc5:	or     ecx,eax
    5cc7:	cmp    ecx,r8d
    5cca:	jge    56d0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1380>
    5cd0:	add    rdi,0x7
    5cd4:	imul   rdi,QWORD PTR [rsp+0x38]
    5cda:	add    rdi,r15
    5cdd:	lea    rcx,[rdi+rdi*4]
    5ce1:	lea    rcx,[rcx*8+0x0]
    5ce9:	add    rcx,r13
    5cec:	vbroadcastss zmm0,DWORD PTR [rsp+rax*4+0xe0]
    5cf4:	vmulps zmm1,zmm14,zmm0
    5cfa:	vextractf32x4 XMMWORD PTR [rsi+rcx*4+0x10],zmm1,0x1
    5d03:	vmovups XMMWORD PTR [rsi+rcx*4],xmm1
    5d08:	vextractf64x4 YMMWORD PTR [rsi+rcx*4+0x20],zmm1,0x1
    5d11:	vmulps zmm1,zmm13,zmm0
    5d17:	vextractf32x4 XMMWORD PTR [rsi+rcx*4+0x50],zmm1,0x1
    5d20:	vmovups XMMWORD PTR [rsi+rcx*4+0x40],xmm1
    5d26:	vextractf64x4 YMMWORD PTR [rsi+rcx*4+0x60],zmm1,0x1
    5d2f:	vmulps ymm0,ymm12,ymm0
    5d33:	vmovups YMMWORD PTR [rsi+rcx*4+0x80],ymm0
    5d3c:	jmp    56d0 <_pocl_kernel_attention_one_block_workgroup_fast+0x1380>
    5d41:	lea    rsp,[rbp-0x28]
    5d45:	pop    rbx
    5d46:	pop    r12
    5d48:	pop    r13
    5d4a:	pop    r14
    5d4c:	pop    r15
    5d4e:	pop    rbp
    5d4f:	vzeroupper
    5d52:	ret
