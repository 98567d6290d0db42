package quarantine

import "xinshu/catalog"

// instructions are what a clerk reads first.
var instructions = []catalog.Text{
	{ZH: "填写说明", EN: "How to fill in this workbook"},
	{ZH: "1. 每个数据集一张表，每行是一条被退回、尚未处理的记录。标黄的单元格是出错处，批注和“退回原因”列说明原因。",
		EN: "1. There is one sheet for each dataset; each row is a record that was refused and is still open. The yellow cell is at fault; its note and the column of reasons say why."},
	{ZH: "2. 请直接在该行上改成正确的值。只有改动过的行才会重新入库；没有改动的行仍为待处理。",
		EN: "2. Write the right value over the wrong one. Only rows that were changed are staged again; an unchanged row stays open."},
	{ZH: "3. 原值保存在以“原值”开头的锁定表中，可对照，不可修改，修改也不起作用。",
		EN: "3. The original values stand in the locked sheet whose name begins with 原值. Changing it has no effect."},
	{ZH: "4. 本不应报送的行，在“处理”列选择“撤销”，该行即关闭，不再入库。",
		EN: "4. For a row that should not have been sent choose 撤销 (or write withdraw) in the column 处理: it is closed and nothing is staged."},
	{ZH: "5. 请勿改动“编号”“校验”两列和前两行表头；可以删除不处理的行，也可以调整行的顺序；不能在此新增记录。",
		EN: "5. Leave the columns 编号 and 校验 and the two heading rows as they are. Rows may be deleted or sorted as whole rows; new records cannot be added here."},
	{ZH: "6. 单元格均为文本格式。18 位代码请按文本填写：按数字填写会被 Excel 舍入，回传时将被拒绝。公式也会被拒绝，请粘贴为值。",
		EN: "6. All cells are text. Write codes of 18 digits as text: as a number Excel rounds them, and the workbook is refused. Formulas are refused too: paste values."},
	{ZH: "7. 含 *** 的个人信息已脱敏，系统不保存原值。保持不动即视为未变；确需更正的可直接填写，入库前会再次脱敏。证件号若填在代码或主键处，必须改为正确的值。",
		EN: "7. Personal data with *** are masked; the hub does not keep them. Left as they are they count as unchanged; a value written over them is masked again before it is stored. A masked number where a code or a key belongs must be replaced by the right value."},
	{ZH: "8. 填好后原样交回数据管理员。同一工作簿重复提交不会重复入库。",
		EN: "8. Give the workbook back to the data steward. Sent in twice, it is taken once."},
}
